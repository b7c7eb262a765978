"""Every algorithm of SB3 and sb3-contrib that takes images trains, saves and loads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from images import patches
from sb3_contrib import QRDQN, MaskablePPO, RecurrentPPO
from stable_baselines3 import A2C, DQN, PPO

from coordconv_rl.sb3.extractors import CoordConvCombinedExtractor, CoordConvExtractor

OFF_POLICY = {"learning_starts": 8, "buffer_size": 32, "batch_size": 8, "target_update_interval": 8}
PPO_LIKE = {"n_steps": 8, "batch_size": 8, "n_epochs": 1}
ALGORITHMS: list[tuple[Any, str, dict[str, Any]]] = [
    (A2C, "CnnPolicy", {"n_steps": 4}),
    (PPO, "CnnPolicy", PPO_LIKE),
    (DQN, "CnnPolicy", OFF_POLICY),
    (QRDQN, "CnnPolicy", OFF_POLICY),
    (RecurrentPPO, "CnnLstmPolicy", PPO_LIKE),
    (MaskablePPO, "CnnPolicy", PPO_LIKE),
    (PPO, "MultiInputPolicy", PPO_LIKE),
    (DQN, "MultiInputPolicy", OFF_POLICY),
    (RecurrentPPO, "MultiInputLstmPolicy", PPO_LIKE),
]


@pytest.mark.parametrize(("algorithm", "policy", "settings"), ALGORITHMS)
def test_trains_saves_and_loads(algorithm, policy, settings, tmp_path):
    torch.set_num_threads(1)
    as_dict = policy.startswith("MultiInput")
    extractor = CoordConvCombinedExtractor if as_dict else CoordConvExtractor
    env = patches(1, as_dict=as_dict)
    model = algorithm(
        policy, env, seed=0, policy_kwargs={"features_extractor_class": extractor}, **settings
    )
    before = {k: v.clone() for k, v in model.policy.state_dict().items() if "coord_weight" in k}
    model.learn(24)
    after = model.policy.state_dict()
    assert before
    assert any(not torch.equal(after[k], v) for k, v in before.items())

    model.save(tmp_path / "model.zip")
    loaded = algorithm.load(tmp_path / "model.zip")
    assert all(torch.equal(loaded.policy.state_dict()[k], v) for k, v in after.items())
    observations = env.reset()
    for _ in range(3):
        expected, _ = model.predict(observations, deterministic=True)
        actions, _ = loaded.predict(observations, deterministic=True)
        assert np.array_equal(actions, expected)
        observations = env.step(actions)[0]
