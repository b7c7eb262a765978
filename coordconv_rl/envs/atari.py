"""SB3's vector environment for Atari games, several times lighter than a tower of wrappers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices

from coordconv_rl.envs.buffers import STACK_SHAPE, Buffers, size_in_bytes
from coordconv_rl.envs.group import Group
from coordconv_rl.envs.settings import Settings
from coordconv_rl.errors import InputError


class AtariVecEnv(VecEnv):
    """Atari games, bit for bit as SB3's `make_atari_env`, `VecFrameStack(4)`, `VecTransposeImage`.

    Observations are (n_envs, 4, 84, 84) uint8, newest image last.

    Args:
        game: The game's Gymnasium name, as in "Breakout".
        n_envs: Environments stepped together.
        seed: Environment i plays with seed + i from the first reset on.
        protocol: "v4" or "v5", see `Settings`.
        training: Whether rewards are clipped and v4 episodes end with a life.
        workers: Processes that own the environments; 0 steps them in this process.
        full_action_space: Whether all 18 actions are offered (v5 only).

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
    ) -> None:
        if n_envs < 1:
            raise InputError(f"n_envs is {n_envs}: use at least 1")
        if not 0 <= workers <= n_envs:
            raise InputError(f"workers is {workers}: use 0 to n_envs, here {n_envs}")
        self.settings = Settings(game, protocol, training, full_action_space)
        self._buffers = Buffers.over(bytearray(size_in_bytes(n_envs)), n_envs)
        self._group = Group(self.settings, self._buffers)
        self.num_envs = n_envs
        n_actions = len(self._group.emulators[0].actions)
        super().__init__(
            n_envs,
            spaces.Box(0, 255, STACK_SHAPE, np.uint8),
            spaces.Discrete(n_actions),
        )
        self.seed(seed)

    def reset(self) -> NDArray[np.uint8]:
        """Begin an episode in every environment, the first time with its seed."""
        self._group.reset(self._seeds)
        self._reset_seeds()
        self._reset_options()
        return self._buffers.stacks.copy()

    def step_async(self, actions: NDArray[np.integer[Any]]) -> None:
        """Give each environment its action, (n_envs,) integers."""
        self._buffers.actions[:] = self._checked(actions)

    def step_wait(self) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.bool_], Any]:
        """Return observations, rewards, dones and infos; the arrays are the caller's to keep."""
        ends = self._group.step()
        buffers = self._buffers
        return (
            buffers.stacks.copy(),
            buffers.rewards.copy(),
            buffers.dones.copy(),
            self._infos(ends),
        )

    def _infos(self, ends: dict[int, dict[str, Any]]) -> list[dict[str, Any]]:
        infos = [
            {
                "lives": lives,
                "episode_frame_number": episode_frames,
                "frame_number": frames,
                "TimeLimit.truncated": False,
            }
            for lives, episode_frames, frames in self._buffers.counters.tolist()
        ]
        for index, end in ends.items():
            infos[index].update(end)
        return infos

    def _checked(self, actions: NDArray[np.integer[Any]]) -> NDArray[np.integer[Any]]:
        given = np.asarray(actions)
        if given.shape != (self.num_envs,) or given.dtype.kind not in "iu":
            raise InputError(
                f"actions are {given.dtype} of shape {given.shape}: "
                f"give one integer for each of the {self.num_envs} environments"
            )
        assert isinstance(self.action_space, spaces.Discrete)
        if given.min() < 0 or given.max() >= self.action_space.n:
            raise InputError(
                f"actions go from {given.min()} to {given.max()}: "
                f"{self.settings.game} has actions 0 to {self.action_space.n - 1}"
            )
        return given

    def close(self) -> None:
        """Close all environments; a second time does nothing."""
        self._group.close()

    def get_images(self) -> Sequence[NDArray[np.uint8]]:
        """Return each environment's screen as RGB."""
        return self.env_method("render")

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """Return an attribute of each environment's `Emulator`, or of its Gymnasium one."""
        return [getattr(self._group.emulators[i], attr_name) for i in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Set an attribute of each environment's `Emulator`."""
        for i in self._get_indices(indices):
            setattr(self._group.emulators[i], attr_name, value)

    def env_method(
        self,
        method_name: str,
        *method_args: Any,
        indices: VecEnvIndices = None,
        **method_kwargs: Any,
    ) -> list[Any]:
        """Call a method of each environment's `Emulator`, or of its Gymnasium one."""
        methods = self.get_attr(method_name, indices)
        return [method(*method_args, **method_kwargs) for method in methods]

    def env_is_wrapped(
        self, wrapper_class: type[gym.Wrapper[Any, Any, Any, Any]], indices: VecEnvIndices = None
    ) -> list[bool]:
        """Say for each environment whether it does what the SB3 wrapper does."""
        return [wrapper_class.__name__ == "Monitor" for _ in self._get_indices(indices)]
