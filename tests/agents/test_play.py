"""Games side by side: each the same whatever is beside it; play that stands still ends."""

from __future__ import annotations

from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.utils import seeding
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.vec_env import DummyVecEnv

from coordconv_rl.agents.evaluate import rules_for
from coordconv_rl.agents.play import Game, GameTable, Rules, play_games
from coordconv_rl.envs import AtariVecEnv, ImageGame, MinAtarVecEnv
from coordconv_rl.sb3 import CoordConvPolicy

RULES = Rules(step_frames=4, side_by_side=8, longest=400)


def breakout(count: int) -> AtariVecEnv:
    return AtariVecEnv("Breakout", count, training=False)


def minatar(count: int) -> MinAtarVecEnv:
    return MinAtarVecEnv("breakout", count)


@pytest.fixture(scope="module")
def policies():
    """For each game a policy with opinions, which a fresh one has none of."""
    made = {}
    for make, extractor in ((breakout, {}), (minatar, {"backbone": "minatar"})):
        env = make(1)
        torch.manual_seed(3)
        made[make] = CoordConvPolicy(
            env.observation_space,
            env.action_space,
            lambda _: 1e-3,
            features_extractor_kwargs=extractor,
        )
        env.close()
        with torch.no_grad():
            made[make].action_net.weight.mul_(300)
    return made


@pytest.fixture(scope="module")
def policy(policies):
    return policies[breakout]


def test_a_game_does_not_depend_on_those_beside_it(policy):
    games = [Game(policy, number, greedy) for number in range(3) for greedy in (False, True)]
    together = play_games(breakout, games, seed=7, rules=RULES)
    alone = [play_games(breakout, [game], seed=7, rules=RULES)[0] for game in games]
    assert together == alone
    turned = play_games(breakout, games[::-1], seed=7, rules=RULES)
    assert turned == together[::-1]
    assert len({played.score for played in together}) > 1


def test_actions_are_not_drawn_from_the_stream_that_a_game_draws_from(policy):
    """An agent that shares the game's own draws plays better than it can."""
    games = [Game(policy, number) for number in range(3)]
    table = GameTable(breakout, games, 500_000, Rules(step_frames=4, side_by_side=3))
    for seat in table.seats.values():
        of_the_game, _ = seeding.np_random(500_000 + seat.game.number)
        assert not np.isin(seat.draws.random(4), of_the_game.random(1000)).any()
    table.close()


@pytest.mark.parametrize("make", [breakout, minatar], ids=["atari", "minatar"])
def test_more_games_than_environments_are_played_in_turns(policies, make):
    policy = policies[make]
    games = [Game(policy, number, number == 2) for number in range(5)]
    together = play_games(make, games, seed=7, rules=RULES)
    made, ended = [], []

    def some(count):
        made.append(count)
        return make(count)

    found = play_games(
        some,
        games,
        seed=7,
        rules=replace(RULES, side_by_side=2),
        on_end=lambda place, _: ended.append(place),
    )
    assert found == together
    assert sorted(ended) == [0, 1, 2, 3, 4]
    assert made == ([2] if make is breakout else [2, 2, 1])


def test_frames_are_counted_as_the_family_says(policies):
    """A MinAtar step is one frame, an Atari step four."""
    counted = []
    for make, step_frames in ((minatar, 1), (breakout, 4)):
        rules = Rules(step_frames=step_frames, side_by_side=2, longest=4)
        (played,) = play_games(
            make, [Game(policies[make], 0)], seed=1, rules=rules, on_step=counted.append
        )
        assert (played.frames, played.why) == (4, "cut")
    assert counted == [1, 2, 3, 4, 4]


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
        rules=Rules(step_frames=4, side_by_side=8, still_frames=40, longest=longest),
    )
    assert (played.score, played.frames, played.why) == expected


class Choosy(gym.Env):
    """Takes no action but those of its space, which zero is none of; lasts as its seed says."""

    observation_space = spaces.Box(0, 255, (1, 36, 36), np.uint8)
    action_space = spaces.Box(0.5, 1.0, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.left = int(self.np_random.integers(2, 6))
        return self.observation_space.sample(), {}

    def step(self, action):
        assert self.action_space.contains(action), action
        self.left -= 1
        return self.observation_space.sample(), 1.0, self.left < 1, False, {}


def test_a_game_that_is_over_gets_an_action_that_there_is():
    def make(count):
        return DummyVecEnv([lambda: Monitor(Choosy())] * count)

    env = make(1)
    policy = CoordConvPolicy(env.observation_space, env.action_space, lambda _: 1e-3)
    games = [Game(policy, number, False) for number in range(4)]
    played = play_games(make, games, seed=7, rules=replace(RULES, step_frames=1))
    assert len({one.frames for one in played}) > 1  # so that some rested


def test_frames_that_a_step_skips_are_counted(small_run):
    skipping = ImageGame("image_games:dot", skip=4)
    assert rules_for(small_run(game="dots", environment=skipping), 1).step_frames == 4
    assert rules_for(small_run(game="CarRacing-v3"), 1).step_frames == 1
    assert rules_for(small_run(), 1).step_frames == 4
