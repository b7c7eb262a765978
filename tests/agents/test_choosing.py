"""Actions from an observation and a draw, whatever else is in the batch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from coordconv_rl.agents import choosing
from coordconv_rl.agents.choosing import choose, probabilities
from coordconv_rl.envs import AtariVecEnv
from coordconv_rl.sb3 import CoordConvPolicy, Judged


def breakout(count: int) -> AtariVecEnv:
    return AtariVecEnv("Breakout", count, training=False)


@pytest.fixture(scope="module")
def judged():
    env = breakout(1)
    torch.manual_seed(3)
    made = CoordConvPolicy(env.observation_space, env.action_space, lambda _: 1e-3)
    env.close()
    with torch.no_grad():
        made.action_net.weight.mul_(300)  # opinions, where a fresh agent has none
    return Judged([made])


def first(count: int) -> np.ndarray:
    """The one policy, for so many observations."""
    return np.zeros(count, np.intp)


def test_actions_follow_from_draws(judged):
    env = breakout(1)
    seen = np.repeat(env.reset(), 5, axis=0)
    env.close()
    chances = probabilities(judged, first(1), seen[:1])[0]
    assert chances.sum() == pytest.approx(1.0)
    bounds = np.cumsum(chances)
    inside = [0.0, *(bounds[:-1] + 1e-9), 1.0 - 1e-12]
    assert choose(judged, first(5), seen, inside).tolist() == [0, 1, 2, 3, 3]
    assert choose(judged, first(1), seen[:1], [None]).tolist() == [int(chances.argmax())]


def test_what_rounding_could_decide_is_decided_alone(judged, monkeypatch):
    """A draw that lies at a bound is looked at once more, without the rest of the batch."""
    env = breakout(1)
    seen = np.repeat(env.reset(), 3, axis=0)
    env.close()
    bound = float(probabilities(judged, first(1), seen[:1])[0, 0])
    batches = []

    def noting(judged, who, observations):
        batches.append(len(observations))
        return probabilities(judged, who, observations)

    monkeypatch.setattr(choosing, "probabilities", noting)
    choose(judged, first(3), seen, [bound + 1e-7, 0.5 * bound, None])
    assert batches == [3, 1]
