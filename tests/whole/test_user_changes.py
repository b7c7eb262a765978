"""What users change of policies, buffers, algorithms and rollouts is in effect, as in SB3."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from images import SHAPE, patches
from pairs import assert_same_outputs, assert_same_update, both
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.callbacks import BaseCallback

from coordconv_rl import CoordConvPolicy, FastA2C
from coordconv_rl.fast import network
from coordconv_rl.sb3 import algorithms
from coordconv_rl.sb3.rollout_buffer import DeviceRolloutBuffer

ALGORITHMS = pytest.mark.parametrize("algorithm", [PPO, A2C])


@pytest.fixture(autouse=True)
def _eager(monkeypatch):
    """Compute distinct patches once wherever there are some."""
    torch.set_num_threads(1)
    monkeypatch.setattr(algorithms, "_limits", lambda _: (1.0, 1.0, 1.0))
    monkeypatch.setattr(algorithms, "BACKWARD", (1.0, 1.0, 1.0))


class Dimmer:
    def extract_features(self: Any, obs: Any, features_extractor: Any = None) -> Any:
        return super().extract_features(obs // 2, features_extractor)  # type: ignore[misc]


class Scaling:
    def extract_features(self: Any, obs: Any, features_extractor: Any = None) -> Any:
        return super().extract_features(obs, features_extractor) / 2  # type: ignore[misc]


class Blackening:
    """Writes into the images that it is given."""

    def evaluate_actions(self: Any, obs: Any, actions: Any) -> Any:
        obs[:, :2] = 0
        obs.bitwise_and_(0xF0)
        return super().evaluate_actions(obs, actions)  # type: ignore[misc]


class Looking:
    """Uses the images' own brightness in the loss."""

    def evaluate_actions(self: Any, obs: Any, actions: Any) -> Any:
        values, log_prob, entropy = super().evaluate_actions(obs, actions)  # type: ignore[misc]
        bright = torch.from_numpy(np.asarray(obs)).float().mean((1, 2, 3)) / 255
        return values * bright[:, None], log_prob, entropy


class Tempered:
    def _get_action_dist_from_latent(self: Any, latent_pi: Any) -> Any:
        return super()._get_action_dist_from_latent(latent_pi / 3)  # type: ignore[misc]


class Acting:
    def forward(self: Any, obs: Any, deterministic: bool = False) -> Any:
        actions, values, log_prob = super().forward(obs.flip(-1), deterministic)  # type: ignore[misc]
        return actions, values + 1, log_prob


class Valuing:
    def predict_values(self: Any, obs: Any) -> Any:
        return super().predict_values(obs) * 2  # type: ignore[misc]

    def get_distribution(self: Any, obs: Any) -> Any:
        return super().get_distribution(255 - obs)  # type: ignore[misc]


@ALGORITHMS
@pytest.mark.parametrize("mixin", [Dimmer, Scaling, Blackening, Looking, Tempered, Acting, Valuing])
def test_a_policys_own_methods(algorithm, mixin):
    fast, stock = both(algorithm, mixin)
    assert_same_outputs(fast, stock)
    assert_same_update(fast, stock)


@ALGORITHMS
@pytest.mark.parametrize("part", ["mlp_extractor", "action_net", "value_net"])
def test_hooks_behind_the_features(algorithm, part):
    fast, stock = both(algorithm)
    for model in (fast, stock):
        getattr(model.policy, part).register_forward_hook(
            lambda module, args, y: tuple(1.5 * one for one in y) if type(y) is tuple else 1.5 * y
        )
    assert_same_outputs(fast, stock)
    assert_same_update(fast, stock)


@ALGORITHMS
def test_layers_behind_the_features_and_frozen_ones(algorithm):
    fast, stock = both(algorithm, policy_kwargs={"net_arch": {"pi": [16], "vf": [8]}})
    for model in (fast, stock):
        model.policy.features_extractor.cnn[0].requires_grad_(False)
    frozen = fast.policy.features_extractor.cnn[0].weight.clone()
    assert_same_outputs(fast, stock)
    assert_same_update(fast, stock, steps=32)
    assert torch.equal(fast.policy.features_extractor.cnn[0].weight, frozen)


@ALGORITHMS
@pytest.mark.parametrize("key", ["separate extractors", "images that are not divided"])
def test_settings_of_the_policy(algorithm, key):
    settings = {
        "separate extractors": {"share_features_extractor": False},
        "images that are not divided": {"normalize_images": False},
    }
    fast, stock = both(algorithm, policy_kwargs=settings[key])
    if key == "separate extractors":
        assert_same_outputs(fast, stock)
        frames = torch.zeros(1, *SHAPE, dtype=torch.uint8)
        for policy in (fast.policy, stock.policy):
            with pytest.warns(UserWarning, match="ignored"):
                found = policy.extract_features(frames, policy.pi_features_extractor)
            assert len(found) == 2
        assert_same_update(fast, stock)
    else:  # outputs of some hundreds: equal up to their own rounding
        frames = torch.randint(256, (3, *SHAPE), dtype=torch.uint8)
        results = [model.policy.predict_values(frames) for model in (fast, stock)]
        torch.testing.assert_close(*results, rtol=1e-5, atol=1e-3)


@ALGORITHMS
@pytest.mark.parametrize("coords", ["none", "first", "all"])
def test_a_pooled_head_is_computed_fast_and_as_sb3_does(algorithm, coords, monkeypatch):
    seen = []
    compute = network.convolve_patches
    monkeypatch.setattr(network, "convolve_patches", lambda *args: seen.append(1) or compute(*args))
    extractor = {"features_extractor_kwargs": {"head": "pool", "coords": coords}}
    fast, stock = both(algorithm, policy_kwargs=extractor, seed=5)  # with 4 a ReLU is at its kink
    assert_same_outputs(fast, stock)
    assert_same_update(fast, stock, steps=32)
    assert len(seen) == (8 if algorithm is PPO else 2)


@ALGORITHMS
@pytest.mark.parametrize(
    "mode", [torch.use_deterministic_algorithms, torch.autograd.set_detect_anomaly]
)
def test_modes_of_torch_for_looking_closely(algorithm, mode):
    fast, stock = both(algorithm)
    mode(True)
    try:
        assert_same_update(fast, stock)
    finally:
        mode(False)


class Changing(BaseCallback):
    """Changes a rollout's images before the update, in one way or another."""

    def __init__(self, change: Any) -> None:
        super().__init__()
        self.change = change

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        self.change(self.model.rollout_buffer)


def written(buffer: Any) -> None:
    buffer.observations[:] = 200 - buffer.observations // 2


def one_pixel(buffer: Any) -> None:
    buffer.observations[3, 1, 2, 20, 20] ^= 255


def another_array(buffer: Any) -> None:
    buffer.observations = np.flip(np.asarray(buffer.observations), -1).copy()


def wider(buffer: Any) -> None:
    buffer.observations = np.asarray(buffer.observations).astype(np.float32) / 2


def other_steps(buffer: Any) -> None:
    buffer.observations = buffer.observations[::-1] if isinstance(
        buffer.observations, np.ndarray) else buffer.observations.flip(0)  # fmt: skip


@ALGORITHMS
@pytest.mark.parametrize("change", [written, one_pixel, another_array, wider, other_steps])
def test_images_that_a_callback_changes_before_the_update(algorithm, change):
    fast, stock = both(algorithm)
    assert_same_update(fast, stock, lambda: Changing(change), steps=32)


class Mixed:
    """A buffer that mixes images as minibatches leave it."""

    def _get_samples(self: Any, batch_inds: Any, env: Any = None) -> Any:
        samples = super()._get_samples(batch_inds, env)  # type: ignore[misc]
        return samples._replace(observations=samples.observations.flip(-1))


class Fading:
    """A buffer that stores other images than acting saw."""

    def add(self: Any, obs: Any, *rest: Any) -> None:
        super().add(obs // 2 + 9, *rest)  # type: ignore[misc]


class Twice:
    """An algorithm that trains twice on each rollout."""

    def train(self: Any) -> None:
        super().train()  # type: ignore[misc]
        super().train()  # type: ignore[misc]


class Halfway:
    """An algorithm that changes weights between acting and training, past all counters."""

    def train(self: Any) -> None:
        self.policy.features_extractor.linear[0].weight.data[7].zero_()
        self.policy.features_extractor.cnn[2].bias.data[5] = 1.0
        super().train()  # type: ignore[misc]


@ALGORITHMS
@pytest.mark.parametrize(
    "changed",
    [{"buffer": Mixed}, {"buffer": Fading}, {"model": Twice}, {"model": Halfway}],
    ids=["samples", "stored images", "two updates", "weights"],
)
def test_buffers_and_algorithms_of_subclasses(algorithm, changed):
    fast, stock = both(algorithm, **changed)
    assert_same_update(fast, stock, steps=32)


class Stopping(BaseCallback):
    def __init__(self, error: type[Exception] | None = None) -> None:
        super().__init__()
        self.error = error

    def _on_step(self) -> bool:
        if self.n_calls == 11 and self.error is not None:
            raise self.error
        return self.n_calls < 11


@pytest.mark.parametrize("error", [None, RuntimeError])
def test_nothing_stays_of_a_rollout_that_ends_early(error):
    model = FastA2C(CoordConvPolicy, patches(), n_steps=8, rollout_buffer_class=DeviceRolloutBuffer)
    try:
        model.learn(64, callback=Stopping(error))
    except RuntimeError:
        assert error is RuntimeError
    cache = model.policy.acting_cache
    assert model._recording is cache._recording is None
    frames = torch.zeros(2, *SHAPE, dtype=torch.uint8)
    with torch.no_grad():
        for _ in range(10):
            model.policy(frames)
    assert len(cache._prepared) == 1
    model.learn(32)  # as if nothing had been


def test_what_acts_beside_the_rollout_is_not_kept():
    class Evaluating(BaseCallback):
        def _on_step(self) -> bool:
            with torch.no_grad():
                for _ in range(5):
                    self.model.policy(torch.zeros(2, *SHAPE, dtype=torch.uint8))
            if isinstance(self.model, FastA2C):
                recording = self.model.policy.acting_cache._recording
                assert recording._steps is None or len(recording._steps) <= 8
            return True

    fast, stock = both(A2C)
    assert_same_update(fast, stock, Evaluating)
