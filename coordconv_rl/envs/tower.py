"""What SB3's tower of wrappers answers when `get_attr`, `env_method` and their kin ask it.

An `Emulator` does the work of `make_atari_env`'s wrappers. Whoever asks SB3's environment for
`observation_space`, `noop_max` or `get_episode_rewards` gets a wrapper's answer, and gets the same
here.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from coordconv_rl.envs.emulator import FRAME_SKIP, MAX_NOOPS, NOOP, Emulator


class Tower:
    """An emulator as `VecEnv.get_attr`, `set_attr` and `env_method` see it.

    What is set stays here, as SB3 sets it on the outermost wrapper: no wrapper below looks there.
    What the tower lacks is the emulator's, or its Gymnasium environment's.
    """

    noop_max, noop_action, override_num_noops = MAX_NOOPS, NOOP, None
    needs_reset, has_reset = False, True
    _skip = FRAME_SKIP

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self.width = self.height = size = emulator.settings.screen_size
        self.observation_space = spaces.Box(0, 255, (size, size, 1), np.uint8)

    def __getattr__(self, name: str) -> Any:
        """Return what changes as the game goes on, or else what the emulator has."""
        if name == "_emulator":
            raise AttributeError(name)
        emulator = self._emulator
        settings = emulator.settings
        answers: dict[str, Any] = {
            "episode_returns": [one["r"] for one in emulator.episodes],
            "episode_lengths": [one["l"] for one in emulator.episodes],
            "episode_times": [one["t"] for one in emulator.episodes],
            "total_steps": emulator.total_frames,
            "t_start": emulator.started,
            "spec": gym.registry.get(f"{settings.game}NoFrameskip-v4"),
        }
        if settings.life_loss_ends:
            answers["was_real_done"] = emulator.game_ended
        if settings.stickiness:
            answers["action_repeat_probability"] = settings.stickiness
        return answers[name] if name in answers else getattr(emulator, name)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        """Begin an episode; return its first image, (size, size, 1), and the frame counts.

        SB3's `FireResetEnv` returns no counts.
        """
        self._emulator.reset(seed)
        return self._image(), {} if self._emulator.fires else self._info()

    def step(self, action: int) -> tuple[NDArray[np.uint8], float, bool, bool, dict[str, Any]]:
        """Play an action; return the image, the reward, whether it terminated or was truncated."""
        emulator = self._emulator
        reward = emulator.step(int(action))
        info = self._info()
        if emulator.episode is not None:
            info["episode"] = emulator.episode
        terminated = emulator.done and not emulator.truncated
        return self._image(), reward, terminated, emulator.truncated, info

    def _image(self) -> NDArray[np.uint8]:
        image: NDArray[np.uint8] = self._emulator.stack[-1][..., None].copy()
        return image

    def _info(self) -> dict[str, Any]:
        ale = self._emulator.ale
        return {
            "lives": ale.lives(),
            "episode_frame_number": ale.getEpisodeFrameNumber(),
            "frame_number": ale.getFrameNumber(),
        }

    def get_episode_rewards(self) -> list[float]:
        """Return the raw returns of all games so far."""
        return list(self.episode_returns)

    def get_episode_lengths(self) -> list[int]:
        """Return the games' lengths in frames."""
        return list(self.episode_lengths)

    def get_episode_times(self) -> list[float]:
        """Return the games' ends in seconds since the start."""
        return list(self.episode_times)

    def get_total_steps(self) -> int:
        """Return the frames of all games so far."""
        return int(self.total_steps)

    def get_wrapper_attr(self, name: str) -> Any:
        """Return an attribute."""
        return getattr(self, name)

    def has_wrapper_attr(self, name: str) -> bool:
        """Return whether there is such an attribute."""
        return hasattr(self, name)

    def set_wrapper_attr(self, name: str, value: Any, *, force: bool = True) -> bool:
        """Set an attribute, here only."""
        setattr(self, name, value)
        return True
