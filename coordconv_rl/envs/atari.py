"""SB3's vector environment for Atari games, several times lighter than a tower of wrappers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common import atari_wrappers
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices

from coordconv_rl.envs.games import SCREEN_SIZE
from coordconv_rl.envs.settings import GameSettings, as_actions
from coordconv_rl.envs.workers import STACK, Group, Pool, SharedArrays, size_in_bytes
from coordconv_rl.errors import InputError, as_integer

SNAPSHOT_FORMAT = 1
RENDER_FPS = 15  # 60 frames a second, four for each step


class AtariVecEnv(VecEnv):
    """Atari games, bit for bit as SB3's `make_atari_env`, `VecFrameStack(4)`, `VecTransposeImage`.

    Observations are (n_envs, 4, screen_size, screen_size) uint8, newest image last.

    Args:
        game: The game's Gymnasium name, as in "Breakout".
        n_envs: Environments stepped together.
        seed: Environment i plays with seed + i from the first reset on.
        protocol: "v4" or "v5", see `GameSettings`.
        training: Whether rewards are clipped and v4 episodes end with a life.
        workers: Processes that play, this one among them; with 0 or 1 it plays alone.
        full_action_space: Whether all 18 actions are offered (v5 only).
        screen_size: Side of the images in pixels; 84 is what everybody uses.

    Raises:
        InputError: An argument that makes no sense.
    """

    def __init__(
        self,
        game: str,
        n_envs: int = 8,
        *,
        seed: int | None = 0,
        protocol: str = "v4",
        training: bool = True,
        workers: int = 0,
        full_action_space: bool = False,
        screen_size: int = SCREEN_SIZE,
    ) -> None:
        """Check the arguments, and make the emulators; the first `reset` begins the games."""
        n_envs, workers = as_integer("n_envs", n_envs), as_integer("workers", workers)
        seed = seed if seed is None else as_integer("seed", seed)
        if n_envs < 1:
            raise InputError(f"n_envs is {n_envs}: use at least 1")
        if not 0 <= workers <= n_envs:
            raise InputError(f"workers is {workers}: use 0 to n_envs, here {n_envs}")
        if seed is not None and not 0 <= seed < 2**32:
            raise InputError(f"seed is {seed}: use 0 to {2**32 - 1}, or None for a random one")
        size = as_integer("screen_size", screen_size)
        self.settings = GameSettings(game, protocol, bool(training), bool(full_action_space), size)
        self._group: Group | Pool
        if workers > 1:
            self._group = Pool(self.settings, n_envs, workers)
        else:
            arrays = SharedArrays.over(bytearray(size_in_bytes(n_envs, size)), n_envs, size)
            self._group = Group(self.settings, arrays)
        self._arrays = self._group.arrays
        self.num_envs = n_envs
        (actions,) = self.get_attr("action_space", [0])
        super().__init__(n_envs, spaces.Box(0, 255, (STACK, size, size), np.uint8), actions)
        self.metadata["render_fps"] = RENDER_FPS  # type: ignore[assignment]
        self.seed(seed)

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Let environment i play with seed + i from the next reset on; None draws a seed."""
        return super().seed(seed if seed is None else as_integer("seed", seed))

    def reset(self) -> NDArray[np.uint8]:
        """Begin an episode in every environment, the first time with its seed."""
        self._group.reset(self._seeds)
        self.reset_infos = [{} for _ in range(self.num_envs)]
        self._reset_seeds()
        self._reset_options()
        return self._arrays.stacks.copy()

    def step_async(self, actions: NDArray[np.integer[Any]]) -> None:
        """Give each environment its action, (n_envs,) integers; other processes begin to play.

        Raises:
            InputError: Actions of another shape or kind, or out of range.
            RuntimeError: A worker died; the message says which and with what environments.
        """
        assert isinstance(self.action_space, spaces.Discrete)
        given = as_actions(actions, self.num_envs, int(self.action_space.n), self.settings.game)
        self._group.start(given)

    def step_wait(self) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.bool_], Any]:
        """Return observations, rewards, dones and infos; the arrays are the caller's to keep."""
        ends = self._group.finish()
        arrays = self._arrays
        infos = self._infos(ends)
        return arrays.stacks.copy(), arrays.rewards.copy(), arrays.dones.copy(), infos

    def begin(self, seeds: Mapping[int, int]) -> NDArray[np.uint8]:
        """Begin a game in some environments, each by its seed, and return all observations.

        From then on a game that ends there is followed by no other: its environment rests, which
        is to answer with no reward and the same observation, until this is called for it again.

        Raises:
            InputError: The games are played in other processes.
        """
        self._own_group().begin(seeds)
        return self._arrays.stacks.copy()

    def rest(self, indices: Iterable[int]) -> None:
        """Play some environments no further; see `begin`."""
        self._own_group().rest(indices)

    def _own_group(self) -> Group:
        if not isinstance(self._group, Group):
            raise InputError("games begin one by one in this process only: use workers=0")
        return self._group

    def snapshot(self) -> dict[str, Any]:
        """Return everything that the future depends on, between two steps, as plain data.

        Returns:
            {"json": a JSON-able dict, "arrays": uint8 arrays by name}; the number of workers leaves
            no trace in it.
        """
        states = self._group.save()
        return {
            "json": {
                **self._identity(),
                "seeds": list(self._seeds),
                "environments": [values for values, _ in states],
            },
            "arrays": {
                f"{index}.{name}": array
                for index, (_, arrays) in enumerate(states)
                for name, array in arrays.items()
            },
        }

    def restore(self, state: dict[str, Any]) -> NDArray[np.uint8]:
        """Go on from a snapshot, and return the observations at that point.

        Raises:
            InputError: It is of another game, protocol, size or number of environments, or damaged.
        """
        values, arrays = {"screen_size": SCREEN_SIZE, **state["json"]}, state["arrays"]
        for name, ours in self._identity().items():
            if values.get(name) != ours:
                raise InputError(
                    f"the snapshot has {name} {values.get(name)!r}, this environment {ours!r}: "
                    "restore it into an environment made with the same arguments"
                )
        parts: list[dict[str, NDArray[np.uint8]]] = [{} for _ in range(self.num_envs)]
        for key, array in arrays.items():
            index, _, name = key.partition(".")
            parts[int(index)][name] = array
        self._group.load(list(zip(values["environments"], parts, strict=True)))
        self._seeds = list(values["seeds"])
        return self._arrays.stacks.copy()

    def _identity(self) -> dict[str, Any]:
        return {"format": SNAPSHOT_FORMAT, **asdict(self.settings), "n_envs": self.num_envs}

    def _infos(self, ends: dict[int, dict[str, Any]]) -> list[dict[str, Any]]:
        infos = [
            {
                "lives": lives,
                "episode_frame_number": episode_frames,
                "frame_number": frames,
                "TimeLimit.truncated": False,
            }
            for lives, episode_frames, frames in self._arrays.counters.tolist()
        ]
        for index, end in ends.items():
            infos[index].update(end)
        return infos

    def close(self) -> None:
        """Close all environments; a second time does nothing."""
        self._group.close()

    def get_images(self) -> Sequence[NDArray[np.uint8] | None]:
        """Return each environment's screen as RGB."""
        return self.env_method("render")

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """Return what SB3's tower of wrappers has under the name, for each environment."""
        return self._group.get(self._get_indices(indices), attr_name)

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Set an attribute for `get_attr`; as in SB3's tower, no game changes by it."""
        self._group.set(self._get_indices(indices), attr_name, value)

    def env_method(
        self,
        method_name: str,
        *method_args: Any,
        indices: VecEnvIndices = None,
        **method_kwargs: Any,
    ) -> list[Any]:
        """Call a method as of SB3's tower of wrappers, for each environment."""
        chosen = self._get_indices(indices)
        return self._group.call(chosen, method_name, method_args, method_kwargs)

    def env_is_wrapped(
        self, wrapper_class: type[gym.Wrapper[Any, Any, Any, Any]], indices: VecEnvIndices = None
    ) -> list[bool]:
        """Say for each environment whether a wrapper of that class is in SB3's tower."""
        settings = self.settings
        (fires,) = self.get_attr("fires", [0])
        tower = {
            atari_wrappers.AtariWrapper: True,
            atari_wrappers.ClipRewardEnv: settings.training,
            atari_wrappers.WarpFrame: True,
            atari_wrappers.FireResetEnv: fires,
            atari_wrappers.EpisodicLifeEnv: settings.life_loss_ends,
            atari_wrappers.MaxAndSkipEnv: True,
            atari_wrappers.NoopResetEnv: True,
            atari_wrappers.StickyActionEnv: settings.stickiness > 0,
            Monitor: True,
            gym.wrappers.OrderEnforcing: True,
            gym.wrappers.PassiveEnvChecker: True,
        }
        found = any(there and issubclass(one, wrapper_class) for one, there in tower.items())
        return [found for _ in self._get_indices(indices)]

    def _get_indices(self, indices: VecEnvIndices) -> Iterable[int]:
        if indices is not None and np.ndim(np.asarray(indices)) == 0:
            indices = [as_integer("indices", indices)]  # SB3 takes no NumPy integer
        return super()._get_indices(indices)
