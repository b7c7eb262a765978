"""Our model and stock SB3's with the same weights, and what must be equal between them."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from breaks import rebuilt
from images import SHAPE, patches
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.policies import ActorCriticCnnPolicy
from stable_baselines3.common.utils import set_random_seed

from coordconv_rl import CoordConvExtractor, CoordConvPolicy, FastA2C, FastPPO
from coordconv_rl.sb3.rollout_buffer import DeviceRolloutBuffer

SETTINGS: dict[Any, dict[str, Any]] = {
    PPO: {"n_steps": 8, "batch_size": 8, "n_epochs": 2, "ent_coef": 0.01},
    A2C: {"n_steps": 8, "ent_coef": 0.01},
}
FAST = {PPO: FastPPO, A2C: FastA2C}
ALGORITHMS = pytest.mark.parametrize("algorithm", [PPO, A2C])
EXTRACTOR = {"features_extractor_class": CoordConvExtractor, "net_arch": []}
STEPS = 16
"""Environment steps of one rollout and update."""


def both(algorithm: Any, mixin: Any = None, **changed: Any) -> tuple[Any, Any]:
    """Return our model and stock SB3's, with the same weights, in float32.

    Args:
        algorithm: A2C or PPO.
        mixin: A class in front of both policies.
        changed: "buffer", a class in front of both buffers; "model", one in front of both
            algorithms; else settings of both.
    """
    policies = [before(mixin, cls) for cls in (CoordConvPolicy, ActorCriticCnnPolicy)]
    buffer, model = changed.pop("buffer", None), changed.pop("model", None)
    kwargs = EXTRACTOR | changed.pop("policy_kwargs", {})
    settings = {"seed": 4, **SETTINGS[algorithm]} | changed
    stock = before(model, algorithm)(
        policies[1], patches(), policy_kwargs=dict(kwargs),
        rollout_buffer_class=before(buffer, RolloutBuffer), **settings,
    )  # fmt: skip
    same_optimizer = {
        "optimizer_class": stock.policy.optimizer_class,
        "optimizer_kwargs": stock.policy.optimizer_kwargs,
    }
    fast = before(model, FAST[algorithm])(
        policies[0], patches(), policy_kwargs=kwargs | {"precision": "float32"} | same_optimizer,
        rollout_buffer_class=before(buffer, DeviceRolloutBuffer), **settings,
    )  # fmt: skip
    for key, value in stock.policy.state_dict().items():
        assert torch.equal(fast.policy.state_dict()[key], value)
    return fast, stock


def before(mixin: Any, cls: Any) -> Any:
    """Return a class with another in front of it."""
    return cls if mixin is None else type(f"{mixin.__name__}{cls.__name__}", (mixin, cls), {})


def assert_same(found: Any, expected: Any) -> None:
    """Compare results of two policies to 1e-5."""
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def assert_same_outputs(fast: Any, stock: Any) -> None:
    """Compare all that SB3 calls of a policy."""
    frames = torch.randint(256, (3, *SHAPE), dtype=torch.uint8)
    calls = {"evaluate_actions": (torch.tensor([0, 1, 2]),), "forward": (True,)}
    for call in (*calls, "get_distribution", "predict_values"):
        results = []
        for model in (fast, stock):
            set_random_seed(3)
            found = getattr(model.policy, call)(frames.clone(), *calls.get(call, ()))
            results.append(found.distribution.logits if call == "get_distribution" else found)
        assert_same(*results)


def assert_same_update(fast: Any, stock: Any, callback: Any = None, steps: int = STEPS) -> None:
    """Train both on the same draws; compare actions, weights and what is logged.

    Args:
        fast: Our model.
        stock: SB3's.
        callback: Makes a callback for each.
        steps: Environment steps.
    """
    begin = copy.deepcopy(stock.policy.state_dict())
    for model in (fast, stock):
        rebuilt(model.policy)
        set_random_seed(5)
        model.learn(steps, callback=callback() if callback else None)
    assert np.array_equal(fast.rollout_buffer.actions, stock.rollout_buffer.actions)
    after, found = stock.policy.state_dict(), fast.policy.state_dict()
    assert after.keys() == found.keys()
    assert any(not torch.equal(after[key], begin[key]) for key in after)
    for key, value in after.items():
        assert_same(found[key], value)
    names = fast.logger.name_to_value
    for key, value in stock.logger.name_to_value.items():
        if key.startswith("train/"):
            np.testing.assert_allclose(names[key], value, rtol=1e-6, atol=1e-4)
