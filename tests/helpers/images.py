"""A small image environment for tests: seeded, so that two models see the same rollout."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env import DummyVecEnv

SHAPE = (4, 44, 40)


class Patches(gym.Env[Any, Any]):
    """Shows random pixels with a bright patch; the reward says whether the action is its side."""

    def __init__(self, shape: tuple[int, int, int] = SHAPE, *, as_dict: bool = False) -> None:
        image = spaces.Box(0, 255, shape, np.uint8)
        vector = spaces.Box(-1.0, 1.0, (3,), np.float32)
        self.observation_space = (
            spaces.Dict({"image": image, "vector": vector}) if as_dict else image
        )
        self.action_space = spaces.Discrete(3)
        self.shape, self.as_dict = shape, as_dict
        self.random = np.random.default_rng(0)
        self.left, self.steps = False, 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        if seed is not None:
            self.random = np.random.default_rng(seed)
        self.steps = 0
        return self._observe(), {}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        reward = float(action == int(self.left))
        self.steps += 1
        return self._observe(), reward, self.steps == 9, False, {}

    def action_masks(self) -> np.ndarray[Any, Any]:
        return np.array([True, True, False])

    def _observe(self) -> Any:
        frame = self.random.integers(0, 200, self.shape, dtype=np.uint8)
        self.left = bool(self.random.integers(2))
        frame[:, 10:20, slice(0, 8) if self.left else slice(-8, None)] = 255
        if not self.as_dict:
            return frame
        return {"image": frame, "vector": self.random.uniform(-1, 1, 3).astype(np.float32)}


def patches(n_envs: int = 2, **options: Any) -> DummyVecEnv:
    """Make several of them."""
    return DummyVecEnv([lambda: Patches(**options) for _ in range(n_envs)])
