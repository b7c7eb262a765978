"""Games side by side: each the same whatever is beside it; play that stands still ends."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.vec_env import DummyVecEnv

from coordconv_rl.agents import play
from coordconv_rl.agents.play import Game, Rules, choose, play_games, probabilities
from coordconv_rl.envs import AtariVecEnv
from coordconv_rl.sb3 import CoordConvPolicy

RULES = Rules(longest=400)


def breakout(count: int) -> AtariVecEnv:
    return AtariVecEnv("Breakout", count, training=False)


@pytest.fixture(scope="module")
def policy():
    env = breakout(1)
    torch.manual_seed(3)
    made = CoordConvPolicy(env.observation_space, env.action_space, lambda _: 1e-3)
    env.close()
    with torch.no_grad():
        made.action_net.weight.mul_(300)  # opinions, where a fresh agent has none
    return made


def test_a_game_does_not_depend_on_those_beside_it(policy):
    games = [Game(policy, number, greedy) for number in range(3) for greedy in (False, True)]
    together = play_games(breakout, games, seed=7, rules=RULES)
    alone = [play_games(breakout, [game], seed=7, rules=RULES)[0] for game in games]
    assert together == alone
    turned = play_games(breakout, games[::-1], seed=7, rules=RULES)
    assert turned == together[::-1]
    assert len({played.score for played in together}) > 1


def test_more_games_than_environments_are_played_in_turns(policy, monkeypatch):
    games = [Game(policy, number) for number in range(3)]
    together = play_games(breakout, games, seed=7, rules=RULES)
    monkeypatch.setattr(play, "SIDE_BY_SIDE", 2)
    ended = []
    found = play_games(
        breakout, games, seed=7, rules=RULES, on_end=lambda place, _: ended.append(place)
    )
    assert found == together
    assert sorted(ended) == [0, 1, 2]


class Doors(gym.Env):
    """A game of 40 steps; an action of 1 moves a dot, 0 does nothing."""

    observation_space = spaces.Box(-1, 99, (1,), np.float32)
    action_space = spaces.Discrete(2)

    def __init__(self, lively: int) -> None:
        self.lively = lively

    def reset(self, **_):
        self.at = self.steps = 0
        return self.see(), {}

    def see(self):
        return np.array([min(self.steps, self.lively)], np.float32)

    def step(self, action):
        self.steps += 1
        over = self.steps == 40
        info = {"episode": {"r": 5.0, "l": 160}} if over else {}
        return self.see(), float(self.steps == 3), over, False, info


@pytest.mark.parametrize(
    ("lively", "greedy", "longest", "expected"),
    [
        (6, True, None, (1.0, 64, "still")),  # the screen last changed at step 6; ten later it ends
        (0, True, None, (1.0, 52, "still")),  # the reward came at step 3
        (40, True, None, (5.0, 160, "over")),
        (6, False, None, (5.0, 160, "over")),  # sampled play may still do something else
        (40, True, 80, (1.0, 80, "cut")),
    ],
)
def test_greedy_play_that_stands_still_ends(lively, greedy, longest, expected):
    env = Doors(0)
    lazy = ActorCriticPolicy(env.observation_space, env.action_space, lambda _: 1e-3)
    (played,) = play_games(
        lambda count: DummyVecEnv([lambda: Doors(lively)] * count),
        [Game(lazy, 0, greedy)],
        seed=1,
        rules=Rules(still_frames=40, longest=longest),
    )
    assert (played.score, played.frames, played.why) == expected


def test_actions_follow_from_draws(policy):
    env = breakout(1)
    seen = np.repeat(env.reset(), 5, axis=0)
    env.close()
    chances = probabilities(policy, seen[:1])[0]
    assert chances.sum() == pytest.approx(1.0)
    bounds = np.cumsum(chances)
    inside = [0.0, *(bounds[:-1] + 1e-9), 1.0 - 1e-12]
    assert choose(policy, seen, inside).tolist() == [0, 1, 2, 3, 3]
    assert choose(policy, seen[:1], [None]).tolist() == [int(chances.argmax())]


def test_what_rounding_could_decide_is_decided_alone(policy, monkeypatch):
    """A draw that lies at a bound is looked at once more, without the rest of the batch."""
    env = breakout(1)
    seen = np.repeat(env.reset(), 3, axis=0)
    env.close()
    bound = float(probabilities(policy, seen[:1])[0, 0])
    batches = []

    def noting(policy, observations):
        batches.append(len(observations))
        return probabilities(policy, observations)

    monkeypatch.setattr(play, "probabilities", noting)
    choose(policy, seen, [bound + 1e-7, 0.5 * bound, None])
    assert batches == [3, 1]


def test_environments_that_rest_are_passed_over():
    env = breakout(2)
    env.reset()
    env.rest([0])
    frames = [emulator.game_frames for emulator in env._group.emulators]
    env.step(np.zeros(2, np.int64))
    after = [emulator.game_frames for emulator in env._group.emulators]
    env.close()
    assert (after[0] - frames[0], after[1] - frames[1]) == (0, 4)
