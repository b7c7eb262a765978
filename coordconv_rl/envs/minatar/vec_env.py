"""SB3's vector environment for MinAtar, several times faster than the original's games."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices

from coordconv_rl.envs.minatar.asterix import Asterix
from coordconv_rl.envs.minatar.boards import SIDE, images
from coordconv_rl.envs.minatar.breakout import Breakout
from coordconv_rl.envs.minatar.colours import board_image
from coordconv_rl.envs.minatar.freeway import Freeway
from coordconv_rl.envs.minatar.game import SHOOT, MiniGame
from coordconv_rl.envs.minatar.seaquest import Seaquest
from coordconv_rl.envs.minatar.space_invaders import SpaceInvaders
from coordconv_rl.envs.settings import as_actions
from coordconv_rl.errors import InputError, as_integer, unknown

KINDS: dict[str, type[MiniGame]] = {
    "asterix": Asterix,
    "breakout": Breakout,
    "freeway": Freeway,
    "seaquest": Seaquest,
    "space_invaders": SpaceInvaders,
}
_FORMAT = 1
_FPS = 15


class MinAtarVecEnv(VecEnv):
    """MinAtar games, exact against MinAtar 1.0.15's in SB3's `DummyVecEnv` under a `Monitor`.

    Observations are (n_envs, channels, 10, 10) uint8, 255 where the original has True and 0 where
    it has False: SB3 divides images by 255, so that networks see ones and zeros. 4 to 10 channels.

    Args:
        game: "asterix", "breakout", "freeway", "seaquest" or "space_invaders".
        n_envs: Environments stepped together.
        seed: Environment i draws from `numpy.random.RandomState(seed + i)` from the first reset on.
        max_steps: Steps after which a game is cut (a truncation); None for the original's games,
            which end only by themselves.
        full_action_space: Whether all six actions are offered, as in the original's "-v0"
            environments, and not only those that do something in this game ("-v1").

    Raises:
        InputError: An argument that makes no sense.
    """

    def __init__(
        self,
        game: str,
        n_envs: int = 8,
        *,
        seed: int | None = 0,
        max_steps: int | None = None,
        full_action_space: bool = False,
    ) -> None:
        """Check the arguments, and make the games; the first `reset` begins them."""
        if game not in KINDS:
            raise unknown("MinAtar game", game, KINDS)
        n_envs = as_integer("n_envs", n_envs)
        max_steps = max_steps if max_steps is None else as_integer("max_steps", max_steps)
        if n_envs < 1:
            raise InputError(f"n_envs is {n_envs}: use at least 1")
        if max_steps is not None and max_steps < 1:
            raise InputError(f"max_steps is {max_steps}: use at least 1, or None")
        kind = KINDS[game]
        self.game = game
        self.max_steps = max_steps
        self.actions = tuple(range(SHOOT + 1)) if full_action_space else kind.actions
        self.games = [kind() for _ in range(n_envs)]
        self.render_mode = "rgb_array"
        self._chosen: list[int] = []
        self._channels = len(kind.channels)
        shape = (self._channels, SIDE, SIDE)
        super().__init__(
            n_envs, spaces.Box(0, 255, shape, np.uint8), spaces.Discrete(len(self.actions))
        )
        self.render_mode = "rgb_array"
        self.metadata = {"render_modes": ["rgb_array"]}
        self.metadata["render_fps"] = _FPS  # type: ignore[assignment]
        self.seed(seed)

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Let environment i play with seed + i from the next reset on; None draws a seed."""
        if seed is not None and not 0 <= as_integer("seed", seed) <= 2**32 - self.num_envs:
            raise InputError(
                f"seed is {seed}: use 0 to {2**32 - self.num_envs}, or None for a random one"
            )
        return super().seed(seed if seed is None else as_integer("seed", seed))

    def reset(self) -> NDArray[np.uint8]:
        """Begin a game in every environment, the first time with its seed."""
        for game, seed in zip(self.games, self._seeds, strict=True):
            if seed is not None:
                game.reseed(seed)
            game.begin()
        self.reset_infos = [{} for _ in self.games]
        self._reset_seeds()
        self._reset_options()
        return self._images()

    def step_async(self, actions: NDArray[np.integer[Any]]) -> None:
        """Take each environment's action, (n_envs,) integers.

        Raises:
            InputError: Actions of another shape or kind, or out of range.
        """
        checked = as_actions(actions, self.num_envs, len(self.actions), self.game)
        self._chosen = checked.tolist()

    def step_wait(self) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.bool_], Any]:
        """Return observations, rewards, dones and infos; the arrays are the caller's to keep."""
        names = self.actions
        rewards = [
            game.step(names[action]) for game, action in zip(self.games, self._chosen, strict=True)
        ]
        infos: list[dict[str, Any]] = [{"TimeLimit.truncated": False} for _ in self.games]
        limit = self.max_steps
        ended = [
            index
            for index, game in enumerate(self.games)
            if game.terminal or game.game_steps == limit
        ]
        dones = np.zeros(self.num_envs, np.bool_)
        if not ended:
            return self._images(), np.array(rewards, np.float32), dones, infos
        dones[ended] = True
        seen = images(self._end(ended, infos), self._channels)
        for index, image in zip(ended, seen[self.num_envs :], strict=True):
            infos[index]["terminal_observation"] = image.copy()
        return seen[: self.num_envs].copy(), np.array(rewards, np.float32), dones, infos

    def _end(self, ended: list[int], infos: list[dict[str, Any]]) -> list[int]:
        """Write what Monitor says of the games that ended, and begin the next ones there.

        Returns:
            The pictures of all environments, then the last ones of the games that ended.
        """
        last = []
        for index in ended:
            game = self.games[index]
            seconds = round(time.time() - game.started, 6)
            infos[index]["episode"] = {"r": game.game_return, "l": game.game_steps, "t": seconds}
            infos[index]["TimeLimit.truncated"] = not game.terminal
            last.append(game.picture())
            game.begin()
        return [game.picture() for game in self.games] + last

    def _images(self) -> NDArray[np.uint8]:
        return images([game.picture() for game in self.games], self._channels)

    def snapshot(self) -> dict[str, Any]:
        """Return everything that the future depends on, between two steps.

        Returns:
            {"json": a JSON-able dict, "arrays": {}}, as `AtariVecEnv.snapshot`.
        """
        games = [game.save() for game in self.games]
        return {
            "json": {**self._identity(), "seeds": list(self._seeds), "environments": games},
            "arrays": {},
        }

    def restore(self, state: dict[str, Any]) -> NDArray[np.uint8]:
        """Go on from a snapshot, and return the observations at that point.

        Raises:
            InputError: It is of another game or number of environments, or damaged.
        """
        values = state["json"]
        for name, ours in self._identity().items():
            if values.get(name) != ours:
                raise InputError(
                    f"the snapshot has {name} {values.get(name)!r}, this environment {ours!r}: "
                    "restore it into an environment made with the same arguments"
                )
        for game, saved in zip(self.games, values["environments"], strict=True):
            game.load(saved)
        self._seeds = list(values["seeds"])
        return self._images()

    def _identity(self) -> dict[str, Any]:
        return {
            "format": _FORMAT,
            "game": f"minatar/{self.game}",
            "max_steps": self.max_steps,
            "actions": list(self.actions),
            "n_envs": self.num_envs,
        }

    def close(self) -> None:
        """Do nothing: there is nothing to close."""

    def get_images(self) -> Sequence[NDArray[np.uint8] | None]:
        """Return each environment's board as RGB, 160x160, a colour for each channel.

        Where several things share a cell, the last channel's colour is seen.
        """
        return [board_image(image) for image in self._images()]

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """Return an attribute of each environment's game, or of this environment itself."""
        if attr_name in ("render_mode", "action_space", "observation_space", "metadata"):
            return [getattr(self, attr_name) for _ in self._get_indices(indices)]
        return [getattr(self.games[index], attr_name) for index in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Set an attribute of each environment's game."""
        for index in self._get_indices(indices):
            setattr(self.games[index], attr_name, value)

    def env_method(
        self,
        method_name: str,
        *method_args: Any,
        indices: VecEnvIndices = None,
        **method_kwargs: Any,
    ) -> list[Any]:
        """Call a method of each environment's game."""
        return [
            getattr(self.games[index], method_name)(*method_args, **method_kwargs)
            for index in self._get_indices(indices)
        ]

    def env_is_wrapped(
        self, wrapper_class: type[gym.Wrapper[Any, Any, Any, Any]], indices: VecEnvIndices = None
    ) -> list[bool]:
        """Say for each environment whether it does what that wrapper does: only Monitor's work."""
        return [wrapper_class is Monitor for _ in self._get_indices(indices)]

    def _get_indices(self, indices: VecEnvIndices) -> Iterable[int]:
        if indices is not None and np.ndim(np.asarray(indices)) == 0:
            indices = [as_integer("indices", indices)]  # SB3 takes no NumPy integer
        return super()._get_indices(indices)
