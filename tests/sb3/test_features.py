"""Whatever of a network the fast path does not know is computed as stock SB3 computes it."""

from __future__ import annotations

import copy
import re
from typing import Any

import numpy as np
import pytest
import torch
from breaks import BREAKS, rebuilt
from gymnasium import spaces
from images import SHAPE, patches
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.policies import ActorCriticCnnPolicy

from coordconv_rl import CoordConvExtractor, CoordConvPolicy, FastA2C, FastPPO
from coordconv_rl.sb3.rollout_buffer import DeviceRolloutBuffer

SPACE = spaces.Box(0, 255, SHAPE, np.uint8)
ACTIONS = spaces.Discrete(3)
SETTINGS: dict[Any, dict[str, Any]] = {
    PPO: {"n_steps": 8, "batch_size": 8, "n_epochs": 2, "ent_coef": 0.01},
    A2C: {"n_steps": 8, "ent_coef": 0.01},
}
FAST = {PPO: FastPPO, A2C: FastA2C}
EXTRACTOR = {"features_extractor_class": CoordConvExtractor, "net_arch": []}


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def both(algorithm: Any, theirs: Any = ActorCriticCnnPolicy, ours: Any = CoordConvPolicy) -> Any:
    """Return our model and stock SB3's, with the same weights."""
    settings = {"seed": 4, **SETTINGS[algorithm]}
    stock = algorithm(theirs, patches(), policy_kwargs=dict(EXTRACTOR), **settings)
    kwargs = EXTRACTOR | {"precision": "float32"}
    if algorithm is A2C:
        kwargs |= {"optimizer_class": stock.policy.optimizer_class}
        kwargs |= {"optimizer_kwargs": stock.policy.optimizer_kwargs}
    fast = FAST[algorithm](
        ours, patches(), policy_kwargs=kwargs, rollout_buffer_class=DeviceRolloutBuffer, **settings
    )
    for key, value in stock.policy.state_dict().items():
        assert torch.equal(fast.policy.state_dict()[key], value)
    return fast, stock


def same(found: Any, expected: Any) -> None:
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def assert_same_update(fast: Any, stock: Any) -> None:
    """Compare outputs, one update and the weights after it."""
    frames = torch.randint(256, (3, *SHAPE), dtype=torch.uint8)
    actions = torch.tensor([0, 1, 2])
    for model in (fast, stock):
        rebuilt(model.policy)
    for call in ("evaluate_actions", "get_distribution", "predict_values", "forward"):
        results = []
        for model in (fast, stock):
            args = (frames, actions) if call == "evaluate_actions" else (frames,)
            args = (frames, True) if call == "forward" else args
            found = getattr(model.policy, call)(*args)
            results.append(found.distribution.logits if call == "get_distribution" else found)
        same(*results)
    before = copy.deepcopy(stock.policy.state_dict())
    for model in (fast, stock):
        torch.manual_seed(5)
        np.random.seed(5)
        model.learn(16)
    assert np.array_equal(fast.rollout_buffer.actions, stock.rollout_buffer.actions)
    after = stock.policy.state_dict()
    assert after.keys() == fast.policy.state_dict().keys()
    assert any(not torch.equal(after[key], before[key]) for key in after)
    for key, value in after.items():
        same(fast.policy.state_dict()[key], value)


@pytest.mark.parametrize("algorithm", [PPO, A2C])
@pytest.mark.parametrize("name", BREAKS)
def test_a_changed_network_is_computed_and_trained_as_sb3_does(name, algorithm, caplog):
    caplog.set_level("INFO", "coordconv_rl.sb3")
    fast, stock = both(algorithm)
    fast.policy.extract_features(torch.zeros(1, *SHAPE, dtype=torch.uint8))
    assert not caplog.records
    with BREAKS[name].made(fast.policy, stock.policy):
        assert_same_update(fast, stock)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == len(set(said)) <= 2, said
    assert all("as SB3 does" in line for line in said)
    assert any(re.search(BREAKS[name].reason, line) for line in said), said
