"""SB3's own path: stock classes, and one policy that computes as SB3's does, bit for bit."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.policies import ActorCriticCnnPolicy
from stable_baselines3.common.sb2_compat.rmsprop_tf_like import RMSpropTFLike

from coordconv_rl.agents.build import build_env, build_model, choose_precision
from coordconv_rl.sb3 import PlainPolicy


def trained(config, policy=None):
    """Train a run's model for two rollouts, by another policy class if one is given."""
    env = build_env(config)
    model = build_model(config, env, choose_precision(config))
    if policy is not None:
        model.policy_class, model.policy_kwargs["precision"] = policy, "float32"
        model._setup_model()
    model.learn(2 * config.hyperparameters.n_envs * config.hyperparameters.n_steps)
    env.close()
    return model


@pytest.mark.parametrize(("algo", "kind"), [("a2c", A2C), ("ppo", PPO)])
def test_all_is_stock_sb3(small_run, algo, kind):
    model = trained(small_run(algo, arm="coordconv-pool", plain=True, precision="auto"))
    assert type(model) is kind
    assert type(model.policy) is ActorCriticCnnPolicy
    assert type(model.rollout_buffer) is RolloutBuffer
    expected = RMSpropTFLike if algo == "a2c" else torch.optim.Adam
    assert type(model.policy.optimizer) is expected
    assert model.policy.net_arch == []
    assert model.policy.features_extractor.head == "pool"


@pytest.mark.parametrize("algo", ["a2c", "ppo"])
def test_the_plain_policy_trains_as_sb3s_own_bit_for_bit(small_run, algo):
    config = small_run(algo, plain=True)
    stock, ours = trained(config), trained(config, PlainPolicy)
    assert type(ours.policy) is PlainPolicy
    found = ours.policy.state_dict()
    for name, value in stock.policy.state_dict().items():
        assert torch.equal(found[name], value), name


def test_where_only_the_actor_sees_coordinates_no_fast_path_is_taken(small_run, monkeypatch):
    config = small_run(arm="coordconv-actor", plain=True)
    monkeypatch.setattr("coordconv_rl.sb3.policy.features", None)  # would fail if it was called
    plain = trained(config)
    assert type(plain.policy) is PlainPolicy
    assert type(plain) is PPO
    fast = trained(dataclasses.replace(config, plain=False, precision="float32"))
    images = torch.from_numpy(plain._last_obs)
    fast.policy.load_state_dict(plain.policy.state_dict())
    with torch.no_grad():
        for name in ("predict_values", "get_distribution"):
            one, two = (getattr(model.policy, name)(images) for model in (plain, fast))
            values = (one, two) if name == "predict_values" else (
                one.distribution.logits, two.distribution.logits
            )  # fmt: skip
            torch.testing.assert_close(*values, rtol=1e-4, atol=1e-5)
