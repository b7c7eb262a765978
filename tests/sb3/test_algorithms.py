from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from images import patches
from stable_baselines3 import A2C
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.callbacks import BaseCallback

from coordconv_rl.agents.build import policy_settings
from coordconv_rl.arms import ARMS
from coordconv_rl.fast import fused
from coordconv_rl.sb3.algorithms import FastA2C, FastPPO
from coordconv_rl.sb3.policy import CoordConvPolicy
from coordconv_rl.sb3.rollout_buffer import DeviceRolloutBuffer

STEPS = 8
ROLLOUT = 2 * STEPS


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def make(
    algorithm: type[A2C] = FastA2C,
    arm: str = "coordconv",
    precision: str = "float32",
    **options: Any,
) -> A2C:
    backbone = options.pop("backbone", "nature")
    share = options.pop("share", True)
    policy, kwargs = policy_settings(
        ARMS[arm], seed=4, precision=precision, algo="a2c", backbone=backbone
    )
    kwargs["share_features_extractor"] = share
    settings = {"rollout_buffer_class": DeviceRolloutBuffer, "n_steps": STEPS, "ent_coef": 0.01}
    return algorithm(
        policy, patches(), seed=4, policy_kwargs=kwargs, **settings | options
    )  # fmt: skip


def weights(model: A2C) -> dict[str, torch.Tensor]:
    return copy.deepcopy(model.policy.state_dict())


def assert_close(found: A2C, expected: A2C, atol: float) -> None:
    for key, value in expected.policy.state_dict().items():
        torch.testing.assert_close(found.policy.state_dict()[key], value, rtol=0, atol=atol)


@pytest.fixture
def trained_passes(monkeypatch):
    """Count convolutions computed forward in training, by their number of images."""
    seen: list[int] = []
    compute = fused._conv_relu

    def counting(x: torch.Tensor, *rest: Any) -> torch.Tensor:
        seen.append(x.shape[0])
        return compute(x, *rest)

    monkeypatch.setattr(fused, "_conv_relu", counting)
    return lambda: seen.count(ROLLOUT)


@pytest.mark.parametrize("arm", ["cnn", "coordconv", "coordconv-all", "shuffled"])
def test_updates_in_float32_give_sb3s_own_weights(arm, trained_passes):
    theirs = make(A2C, arm)
    begin = weights(theirs)
    theirs.learn(3 * ROLLOUT)
    assert trained_passes() == 3 * 3
    ours = make(FastA2C, arm).learn(3 * ROLLOUT)
    assert trained_passes() == 3 * 3
    assert np.array_equal(ours.rollout_buffer.actions, theirs.rollout_buffer.actions)
    assert_close(ours, theirs, 1e-5)
    for key, value in weights(ours).items():
        assert not torch.equal(value, begin[key]), f"{key} did not move"
    assert ours._n_updates == theirs._n_updates == 3
    names = ["n_updates", "explained_variance", "entropy_loss", "policy_loss", "value_loss"]
    logged = [model.logger.name_to_value for model in (ours, theirs)]
    for name in names:
        assert logged[0][f"train/{name}"] == pytest.approx(logged[1][f"train/{name}"], abs=1e-4)
    assert logged[0].keys() == logged[1].keys()


def test_what_draws_from_numpys_generator_sees_what_it_would_with_sb3():
    after = []
    for algorithm in (A2C, FastA2C):
        make(algorithm).learn(2 * ROLLOUT)
        after.append(np.random.random())
    assert after[0] == after[1]


def test_one_update_in_bfloat16_is_close_to_that_of_a_pass_of_its_own(trained_passes):
    gradients = []
    for algorithm, passes in ((FastA2C, 0), (A2C, 3)):
        model = make(algorithm, precision="bfloat16").learn(ROLLOUT)
        assert trained_passes() == passes
        gradients.append(torch.cat([p.grad.flatten() for p in model.policy.parameters()]))
    assert torch.cosine_similarity(*gradients, dim=0) > 0.9999
    torch.testing.assert_close(gradients[0].norm(), gradients[1].norm(), rtol=1e-3, atol=0)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_same_seed_same_weights_byte_for_byte(precision):
    first, second = (weights(make(precision=precision).learn(4 * ROLLOUT)) for _ in range(2))
    assert all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize(
    ("options", "passes"),
    [
        ({"backbone": "impala"}, 0),
        ({"arm": "coordconv-actor"}, 0),
        ({"share": False}, 6),
        ({"rollout_buffer_class": RolloutBuffer}, 3),
    ],
)
def test_what_cannot_be_kept_is_computed_as_sb3_does(options, passes, trained_passes):
    ours = make(FastA2C, **options).learn(ROLLOUT)
    assert trained_passes() == passes
    assert_close(ours, make(A2C, **options).learn(ROLLOUT), 0)


class Meddling(BaseCallback):
    """Changes something after each rollout."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self.what = what

    def _on_step(self) -> bool:
        if self.what == "acts" and self.n_calls == 3:
            with torch.no_grad():
                self.model.policy(torch.zeros(2, 4, 44, 40, dtype=torch.uint8))
        return True

    def _on_rollout_end(self) -> None:
        policy, buffer = self.model.policy, self.model.rollout_buffer
        first = policy.features_extractor.cnn[0].weight
        if self.what == "small weight":
            first.data.mul_(0.9)
        elif self.what == "large weight":
            with torch.no_grad():
                policy.features_extractor.linear[0].weight.mul_(0.9)
        elif self.what == "values":
            buffer.values[1, 1] += np.float32(1e-6)
        elif self.what == "training mode":
            policy.set_training_mode(True)
        elif self.what == "copies":
            copied = copy.deepcopy(policy)
            assert torch.equal(copied.features_extractor.cnn[0].weight, first)
            pickle.dumps(policy.acting_cache)


@pytest.mark.parametrize("what", ["small weight", "large weight"])
def test_a_rollout_that_is_not_what_was_kept_is_computed_anew(what, trained_passes):
    ours = make(FastA2C).learn(ROLLOUT, callback=Meddling(what))
    assert trained_passes() == 3
    assert_close(ours, make(A2C).learn(ROLLOUT, callback=Meddling(what)), 0)


@pytest.mark.parametrize("what", ["values", "training mode", "acts"])
def test_what_outputs_do_not_depend_on_is_used(what, trained_passes):
    ours = make(FastA2C).learn(ROLLOUT, callback=Meddling(what))
    assert not trained_passes()
    assert_close(ours, make(A2C).learn(ROLLOUT, callback=Meddling(what)), 1e-5)


def test_policies_can_be_copied_before_training(trained_passes):
    make().learn(2 * ROLLOUT, callback=Meddling("copies"))
    assert not trained_passes()


def test_nothing_is_kept_after_training():
    model = make().learn(ROLLOUT)
    policy, kept = model.policy, model.policy.acting_cache
    assert kept._own.rollout is model._recording is None
    assert not kept._own.prepared
    assert type(model.rollout_buffer) is DeviceRolloutBuffer
    frames = torch.from_numpy(model._last_obs)
    policy.evaluate_actions(frames, torch.zeros(2))[0].sum().backward()


def test_a_model_that_was_saved_goes_on(tmp_path, trained_passes):
    model = make().learn(ROLLOUT)
    model.save(tmp_path / "model.zip")
    for algorithm in (FastA2C, A2C):
        loaded = algorithm.load(tmp_path / "model.zip", env=patches())
        assert_close(loaded, model, 0)
        loaded.learn(ROLLOUT)
    assert trained_passes() == 3


@pytest.mark.filterwarnings("ignore:You have specified a mini-batch size")
@pytest.mark.parametrize("algorithm", [FastA2C, FastPPO])
@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"policy": "CnnPolicy"}, "the policy is a ActorCriticCnnPolicy"),
        ({"rollout_buffer_class": RolloutBuffer}, "the rollout buffer is a RolloutBuffer"),
        (
            {"policy_kwargs": {"share_features_extractor": False}},
            "actor and critic see different features",
        ),
        (
            {"policy_kwargs": {"coordinates_for": "actor"}},
            "actor and critic see different features",
        ),
        (
            {"policy_kwargs": {"features_extractor_kwargs": {"backbone": "impala"}}},
            "module 1 of the network is a MaxPool2d, where NatureCNN has a ReLU",
        ),
    ],
)
def test_why_it_trains_by_sb3s_own_code_is_said_once(algorithm, options, reason, caplog, tmp_path):
    caplog.set_level("INFO", "coordconv_rl.sb3.algorithms")
    settings = {"policy": CoordConvPolicy, "rollout_buffer_class": DeviceRolloutBuffer} | options
    model = algorithm(env=patches(), n_steps=STEPS, **settings).learn(3 * ROLLOUT)
    said = [record.getMessage() for record in caplog.records]
    assert said == [f"{algorithm.__name__} trains by SB3's own code: {reason}"]
    model.save(tmp_path / "model.zip")  # what was said is not part of a model
    assert not algorithm.load(tmp_path / "model.zip")._reasons


def test_nothing_is_said_where_it_is_fast(caplog):
    caplog.set_level("INFO", "coordconv_rl")
    make().learn(2 * ROLLOUT)
    assert not caplog.records


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_trains_on_a_gpu(precision, trained_passes):
    model = make(precision=precision, device="cuda").learn(3 * ROLLOUT)
    assert not trained_passes()
    assert all(torch.isfinite(p).all() for p in model.policy.parameters())
