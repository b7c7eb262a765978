"""The exploration of coordinates that begin at zero: what its arm computes at first, and later."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from stable_baselines3 import PPO

from coordconv_rl import CoordConvExtractor
from coordconv_rl.configs import load_experiment
from coordconv_rl.envs import MinAtarVecEnv

EXAMPLE = Path(__file__).parents[2] / "examples" / "zero-start"
if not EXAMPLE.is_dir():
    pytest.skip("not a checkout", allow_module_level=True)


def test_it_begins_as_the_plain_network_and_learns_to_use_coordinates(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(EXAMPLE), *sys.path])
    from zero_start import ZeroStart

    models = [
        PPO(
            "CnnPolicy",
            MinAtarVecEnv("breakout", 2),
            n_steps=8,
            batch_size=8,
            policy_kwargs={"features_extractor_class": kind, "features_extractor_kwargs": options},
            seed=5,
        )
        for kind, options in (
            (ZeroStart, {}),
            (CoordConvExtractor, {"backbone": "minatar", "coords": "none"}),
        )
    ]
    images = torch.as_tensor(models[0].env.reset())
    with torch.no_grad():
        zero, plain = (model.policy(images, deterministic=True) for model in models)
    assert all(one.equal(other) for one, other in zip(zero, plain, strict=True))
    weight = models[0].policy.features_extractor.cnn[0].coord_weight
    assert not weight.any()
    models[0].learn(16)
    assert weight.any()


def test_its_seeds_are_none_of_the_experiment_that_suggested_it():
    asked, before = (
        set(load_experiment(name).seeds)
        for name in (str(EXAMPLE / "experiment.yaml"), "minatar-ppo")
    )
    assert len(asked) == 10
    assert not asked & before
