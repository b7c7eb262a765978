"""Two games of one glance a step: in one only place tells what to do, in the other only shape."""

import gymnasium as gym
import numpy as np

SIDE, GLANCES = 16, 16
EDGE = 2  # What is shown keeps so far from the border, where convolutions without padding see less.


class Glances(gym.Env):
    """Sixteen images a game, each with one of two answers: blindly, eight of them are right."""

    observation_space = gym.spaces.Box(0, 255, (SIDE, SIDE, 1), np.uint8)
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        """Begin a game."""
        super().reset(seed=seed)
        self.glances = 0
        return self._look(), {}

    def step(self, action):
        """Judge an answer, and show the next image."""
        reward = float(action == self.answer)
        self.glances += 1
        return self._look(), reward, self.glances == GLANCES, False, {}

    def _look(self):
        self.answer = int(self.np_random.integers(2))
        return self.picture()

    def block(self, height, width, left=EDGE, right=SIDE - EDGE):
        """Return an image of one white block, at a uniform place between two columns."""
        row = int(self.np_random.integers(EDGE, SIDE - EDGE - height + 1))
        column = int(self.np_random.integers(left, right - width + 1))
        image = np.zeros(self.observation_space.shape, np.uint8)
        image[row : row + height, column : column + width] = 255
        return image


class WhichHalf(Glances):
    """Is the block in the left or the right half? A mean over all places is the same for both."""

    def picture(self):
        """Show a square in the half that is right."""
        middle = SIDE // 2
        return self.block(4, 4, *((middle, SIDE - EDGE) if self.answer else (EDGE, middle)))


class WhichWay(Glances):
    """Does the block lie or stand? Its place says nothing."""

    def picture(self):
        """Show a block that is longer one way."""
        return self.block(*((5, 2) if self.answer else (2, 5)))
