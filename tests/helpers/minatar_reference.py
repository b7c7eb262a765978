"""MinAtar itself (GPL; the tests run it beside ours): games step by step, and as an environment."""

from __future__ import annotations

import gymnasium as gym
import minatar
import numpy as np
from minatar.gym import BaseEnv
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

from coordconv_rl.envs.minatar.boards import BITS, images

WAYS = {True: 1, False: -1}


class AsImages(gym.ObservationWrapper):
    """Channels first, 255 for True."""

    def __init__(self, env):
        super().__init__(env)
        *board, channels = env.observation_space.shape
        self.observation_space = gym.spaces.Box(0, 255, (channels, *board), np.uint8)

    def observation(self, observation):
        return observation.transpose(2, 0, 1).astype(np.uint8) * np.uint8(255)


def reference_env(game, n_envs, seed, minimal=True):
    def one():
        return Monitor(AsImages(BaseEnv(game, use_minimal_action_set=minimal)))

    env = DummyVecEnv([one] * n_envs)
    env.seed(seed)
    return env


def board(cells):
    """Return their array of (10, 10) as our set."""
    return sum(BITS[10 * y + x] for y, x in np.argwhere(cells))


class Pair:
    """Their game and ours, from the same seed."""

    def __init__(self, kind, name, seed=0):
        self.theirs, self.ours = minatar.Environment(name), kind()
        self.reseed(seed)
        self.begin()

    def reseed(self, seed):
        self.theirs.seed(seed)
        self.ours.reseed(seed)

    def begin(self):
        self.theirs.reset()
        self.ours.begin()

    def same(self):
        """Compare what is seen."""
        seen = images([self.ours.picture()], len(self.ours.channels))[0]
        return np.array_equal(seen == 255, self.theirs.state().transpose(2, 0, 1))

    def step(self, action):
        """Play an action in both; they must agree. Return the reward and whether the game ended."""
        reward, ended = self.theirs.act(action)
        assert self.ours.step(action) == reward
        assert self.ours.terminal == bool(ended)
        assert self.ours.last_action == self.theirs.last_action
        assert self.same()
        return reward, bool(ended)


def agree_in_play(kind, name, policy, steps, seed=0):
    """Play both with `policy(their game, rng)`; return the sum of rewards and the games' number."""
    pair, rng = Pair(kind, name, seed), np.random.default_rng(seed)
    total = games = 0
    for _ in range(steps):
        reward, ended = pair.step(int(policy(pair.theirs.env, rng)))
        total += reward
        if ended:
            games += 1
            pair.begin()
    return total, games


def agree_from_states(kind, name, put, states, steps=4):
    """Put both into random states by `put(theirs, ours, rng)`, and play some random steps."""
    pair, rng = Pair(kind, name), np.random.default_rng(1)
    for state in range(states):
        pair.reseed(state)
        put(pair.theirs.env, pair.ours, rng)
        pair.theirs.env.terminal = pair.ours.terminal = False
        pair.theirs.last_action = pair.ours.last_action = int(rng.integers(6))
        assert pair.same()
        for _ in range(steps):
            if pair.step(int(rng.integers(6)))[1]:
                break


def integer(rng, low, high):
    return int(rng.integers(low, high))


def coin(rng, chance=0.5):
    return bool(rng.random() < chance)
