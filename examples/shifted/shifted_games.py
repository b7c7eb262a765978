"""MinAtar's games somewhere on a larger screen: learnt at some places, judged at others."""

import gymnasium as gym
import numpy as np

from coordconv_rl.envs import MinAtarVecEnv

SIDE, GAME, EDGE = 20, 10, 2  # near the border, convolutions without padding would see less
OFFSETS = range(EDGE, SIDE - GAME - EDGE + 1)  # 2 to 8
PLACES = {
    "even": [(y, x) for y in OFFSETS for x in OFFSETS if y % 2 == x % 2 == 0],
    "other": [(y, x) for y in OFFSETS for x in OFFSETS if y % 2 or x % 2],
}


class Shifted(gym.Env):
    """A game of MinAtar on a screen of 20x20, for each game at another of some places.

    Args:
        game: The game of MinAtar.
        places: "even" for the 16 places of even row and column, "other" for the 33 others.
    """

    def __init__(self, game="breakout", places="even"):
        self.game, self.places = MinAtarVecEnv(game, 1), PLACES[places]
        channels = self.game.observation_space.shape[0]
        self.observation_space = gym.spaces.Box(0, 255, (channels, SIDE, SIDE), np.uint8)
        self.action_space = self.game.action_space

    def reset(self, *, seed=None, options=None):
        """Begin a game, at another place."""
        super().reset(seed=seed)
        if seed is not None:
            self.game.seed(seed)
        self.place = self.places[self.np_random.integers(len(self.places))]
        return self._screen(self.game.reset()[0]), {}

    def step(self, action):
        """Play on; a game stays where it is."""
        (image,), (reward,), (over,), (info,) = self.game.step(np.array([action]))
        shown = info["terminal_observation"] if over else image
        return self._screen(shown), float(reward), bool(over), False, {}

    def _screen(self, image):
        screen = np.zeros(self.observation_space.shape, np.uint8)
        y, x = self.place
        screen[:, y : y + GAME, x : x + GAME] = image
        return screen
