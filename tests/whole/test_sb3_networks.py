"""Every backbone with every head in SB3's models: trained, saved, loaded, converted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from images import SHAPE, patches
from stable_baselines3 import A2C
from stable_baselines3.common.policies import ActorCriticCnnPolicy

from coordconv_rl import CoordConvExtractor, CoordConvPolicy, add_coordinates
from coordconv_rl.arms import CONVOLUTIONS, HEADS

NETWORKS = [(backbone, head) for backbone in CONVOLUTIONS for head in HEADS]
GRID = spaces.Box(0, 1, (6, 10, 10), np.uint8)
SMALL = spaces.Box(0, 255, SHAPE, np.uint8)


def settings(backbone: str, head: str, coords: str = "all") -> dict[str, Any]:
    return {
        "features_extractor_class": CoordConvExtractor,
        "features_extractor_kwargs": {
            "features_dim": 16, "backbone": backbone, "head": head, "coords": coords,
        },
        "net_arch": [],
        "normalize_images": backbone != "minatar",
    }  # fmt: skip


@pytest.mark.parametrize(("backbone", "head"), NETWORKS)
def test_the_policy_computes_and_differentiates_as_sb3s(backbone: str, head: str) -> None:
    space = GRID if backbone == "minatar" else SMALL
    rng = np.random.default_rng(0)
    images = torch.as_tensor(
        rng.integers(0, int(space.high.max()) + 1, (5, *space.shape), np.uint8)
    )
    outputs = []
    for kind, options in ((ActorCriticCnnPolicy, {}), (CoordConvPolicy, {"precision": "float32"})):
        torch.manual_seed(0)
        policy: Any = kind(
            space, spaces.Discrete(4), lambda _: 1e-3, **settings(backbone, head), **options
        )
        values, log_prob, _ = policy.evaluate_actions(images, torch.tensor([0, 1, 2, 3, 0]))
        (values.sum() + log_prob.square().sum()).backward()
        outputs.append([values, log_prob, *(p.grad for p in policy.parameters())])
    for ours, theirs in zip(*outputs, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("backbone", "head"), [n for n in NETWORKS if n[0] != "minatar"])
def test_converted_networks_train_on_save_and_load(backbone: str, head: str, tmp_path: Any) -> None:
    policy_kwargs = settings(backbone, head, "none")
    model = A2C(
        "CnnPolicy", patches(1), policy_kwargs=policy_kwargs, n_steps=4, seed=0, device="cpu"
    )
    model.learn(8)
    images = torch.rand(3, *SHAPE)
    with torch.no_grad():
        wanted = model.policy.features_extractor(images)
        add_coordinates(model)
        found = model.policy.features_extractor(images)
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)  # another order of sums
    model.learn(8, reset_num_timesteps=False)
    model.save(tmp_path / "model.zip")
    loaded = A2C.load(tmp_path / "model.zip", device="cpu")
    assert loaded.policy.features_extractor.head == head
    with torch.no_grad():
        trained = model.policy.features_extractor(images)
        assert torch.equal(loaded.policy.features_extractor(images), trained)
