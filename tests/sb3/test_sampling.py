"""Actions drawn while acting are those that SB3's distributions draw."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3.common.distributions import (
    CategoricalDistribution,
    SquashedDiagGaussianDistribution,
)
from stable_baselines3.common.policies import ActorCriticCnnPolicy
from torch.distributions import Categorical, Distribution

from coordconv_rl import CoordConvPolicy
from coordconv_rl.sb3.sampling import draw_discrete

IMAGES = spaces.Box(0, 255, (4, 84, 84), np.uint8)


@pytest.mark.parametrize("deterministic", [False, True])
@pytest.mark.parametrize("rows", [1, 8, 256])
@pytest.mark.parametrize("actions", [2, 4, 18])
def test_draws_are_those_of_sb3(rows, actions, deterministic):
    logits = 3 * torch.randn(rows, actions)
    distribution = CategoricalDistribution(actions).proba_distribution(logits)
    torch.manual_seed(1)
    expected = distribution.get_actions(deterministic)
    torch.manual_seed(1)
    found, log_probs = draw_discrete(Categorical(logits=logits), deterministic=deterministic)
    assert found.dtype == expected.dtype
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
    torch.testing.assert_close(log_probs, distribution.log_prob(expected), rtol=0, atol=0)


def test_a_logit_that_is_no_number_is_not_played():
    chances = Categorical(logits=torch.tensor([[float("nan"), 0.0]]), validate_args=False)
    with pytest.raises(RuntimeError, match="nan"):
        draw_discrete(chances, deterministic=False)


@pytest.mark.parametrize(
    "actions", [spaces.MultiDiscrete([3, 2]), spaces.MultiBinary(3), spaces.Box(-1, 1, (2,))]
)
def test_other_actions_are_drawn_by_sb3s_distributions(actions):
    torch.manual_seed(0)
    policy = CoordConvPolicy(IMAGES, actions, lambda _: 1e-3, precision="float32")
    policy.set_training_mode(False)
    frames = torch.randint(256, (5, 4, 84, 84), dtype=torch.uint8)
    with torch.no_grad():
        torch.manual_seed(1)
        found, _, log_probs = policy(frames)
        torch.manual_seed(1)
        expected, _, theirs = ActorCriticCnnPolicy.forward(policy, frames)
    assert found.shape == (5, *actions.shape)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(log_probs, theirs, rtol=1e-5, atol=1e-5)


def test_actions_that_are_not_drawn_are_checked_as_sb3_does(monkeypatch):
    monkeypatch.setattr(Distribution, "_validate_args", True)  # torch.compile leaves it False
    policy = CoordConvPolicy(IMAGES, spaces.Discrete(3), lambda _: 1e-3, precision="float32")
    with torch.no_grad():
        policy.action_net.bias[0] = float("nan")
    with torch.no_grad(), pytest.raises(ValueError, match="nan"):
        policy(torch.zeros(1, 4, 84, 84, dtype=torch.uint8), deterministic=True)


@pytest.mark.parametrize("deterministic", [False, True])
def test_a_subclass_that_shapes_the_distribution_is_asked(deterministic):
    class Sure(CoordConvPolicy):
        def _get_action_dist_from_latent(self, latent):
            return self.action_dist.proba_distribution(torch.tensor([[0.0, 99.0, 0.0]]))

    policy = Sure(IMAGES, spaces.Discrete(3), lambda _: 1e-3, precision="float32")
    with torch.no_grad():
        actions = policy(torch.zeros(1, 4, 84, 84, dtype=torch.uint8), deterministic)[0]
    assert actions.tolist() == [1]


class Tempered(CategoricalDistribution):
    temperature = 1e-4

    def proba_distribution(self, action_logits):
        return super().proba_distribution(action_logits / self.temperature)


def test_settings_of_a_distribution_reach_every_thread():
    torch.manual_seed(0)
    images = torch.randint(0, 256, (4, 4, 84, 84), dtype=torch.uint8)
    policy = CoordConvPolicy(IMAGES, spaces.Discrete(3), lambda _: 1e-3, precision="float32")
    policy.action_dist = Tempered(3)

    def entropy():
        with torch.no_grad():
            return policy.get_distribution(images).entropy().mean().item()

    with ThreadPoolExecutor(1) as other:
        assert other.submit(entropy).result() < np.log(3) - 1e-5
        policy.action_dist.temperature = 1e6
        assert other.submit(entropy).result() == pytest.approx(np.log(3), abs=1e-6)
        policy.action_dist = squashed = SquashedDiagGaussianDistribution(2)
        other.submit(lambda: policy.action_dist).result()
        squashed.epsilon = 0.5
        assert other.submit(lambda: policy.action_dist.epsilon).result() == 0.5
        assert other.submit(lambda: policy.action_dist).result() is not squashed
