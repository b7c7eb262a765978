"""Small environments with images of all kinds, as a user's own module would make them."""

from __future__ import annotations

import gymnasium as gym
import numpy as np

SPACES = {
    "bytes_last": gym.spaces.Box(0, 255, (40, 48, 3), np.uint8),
    "bytes_first": gym.spaces.Box(0, 255, (3, 40, 48), np.uint8),
    "grey": gym.spaces.Box(0, 255, (40, 48), np.uint8),
    "floats_first": gym.spaces.Box(-1.0, 1.0, (2, 40, 48), np.float32),
    "levels": gym.spaces.Box(0, 4, (40, 48, 1), np.uint8),
    "bools": gym.spaces.Box(0, 1, (40, 48, 4), np.bool_),
}


class Dot(gym.Env):
    """A dot that moves right; action 1 (or a positive one) is worth a point; 8 steps a game."""

    def __init__(self, images="bytes_last", actions="discrete", length=8, worth=1.0):
        self.observation_space = SPACES[images]
        self.action_space = {
            "discrete": gym.spaces.Discrete(2),
            "continuous": gym.spaces.Box(-1.0, 1.0, (1,), np.float32),
            "unbounded": gym.spaces.Box(-np.inf, np.inf, (1,), np.float32),
        }[actions]
        self.length, self.worth = length, worth

    def _image(self):
        space = self.observation_space
        image = np.full(space.shape, space.low.min(), space.dtype)
        first = np.argmin(space.shape) == 0 and len(space.shape) == 3
        rows = image[-1] if first else image[..., -1] if image.ndim == 3 else image
        rows[self.y : self.y + 2, self.x] = space.high.max()
        return image

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.x, self.y, self.steps = 0, int(self.np_random.integers(30)), 0
        return self._image(), {}

    def step(self, action):
        self.x, self.steps = self.x + 1, self.steps + 1
        reward = self.worth * float(np.asarray(action).item() > 0)
        return self._image(), reward, self.steps == self.length, False, {}


def dot(**kwargs):
    return Dot(**kwargs)


def vector():
    return gym.make("CartPole-v1")


def nothing():
    return None


def failing():
    raise ValueError("no such maze")


class SharedDot(Dot):
    """A dot whose worth is the last one's that was made, as where a module keeps settings."""

    last = 1.0

    def step(self, action):
        self.worth = SharedDot.last
        return super().step(action)


def shared_dot(worth=1.0):
    SharedDot.last = worth
    return SharedDot()
