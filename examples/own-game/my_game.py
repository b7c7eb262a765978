"""A game of one's own: on which half of the image is the dot? Only its place tells."""

import gymnasium as gym
import numpy as np

SIDE, DOT, GUESSES = 36, 4, 16


class LeftOrRight(gym.Env):
    """Sixteen guesses a game, a point for each right one: guessing blindly scores 8."""

    observation_space = gym.spaces.Box(0, 255, (SIDE, SIDE, 1), np.uint8)
    action_space = gym.spaces.Discrete(2)  # left, right

    def reset(self, *, seed=None, options=None):
        """Begin a game."""
        super().reset(seed=seed)
        self.guesses = 0
        return self._image(), {}

    def step(self, action):
        """Judge a guess, and show the next image."""
        reward = float(action == (self.column >= SIDE // 2))
        self.guesses += 1
        return self._image(), reward, self.guesses == GUESSES, False, {}

    def _image(self):
        image = np.zeros(self.observation_space.shape, np.uint8)
        row = int(self.np_random.integers(SIDE - DOT + 1))
        half = int(self.np_random.integers(2)) * SIDE // 2  # the dot lies in one half, wholly
        self.column = half + int(self.np_random.integers(SIDE // 2 - DOT + 1))
        image[row : row + DOT, self.column : self.column + DOT] = 255
        return image
