"""What users change of policies, buffers, algorithms and rollouts is in effect, as in SB3."""

from __future__ import annotations

import contextlib
import copy
from collections import Counter
from typing import Any

import numpy as np
import pairs
import pytest
import torch
from breaks import BREAKS
from gymnasium import spaces
from images import SHAPE, Patches, patches
from live_tensors import live_tensors, only_new_tensors
from pairs import ALGORITHMS, assert_same, assert_same_outputs, assert_same_update, both
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.distributions import CategoricalDistribution
from stable_baselines3.common.utils import set_random_seed
from stable_baselines3.common.vec_env import DummyVecEnv
from torch import nn
from torch.nn.utils import prune

from coordconv_rl import CoordConvPolicy, FastA2C
from coordconv_rl.fast import network
from coordconv_rl.sb3 import Judged, algorithms
from coordconv_rl.sb3.rollout_buffer import DeviceRolloutBuffer


@pytest.fixture(autouse=True)
def _eager(monkeypatch):
    """Compute distinct patches once wherever there are some."""
    torch.set_num_threads(1)
    monkeypatch.setattr(algorithms, "_limits", lambda _: (1.0, 1.0, 1.0))
    monkeypatch.setattr(algorithms, "BACKWARD", (1.0, 1.0, 1.0))


@pytest.fixture
def _stock_algorithms(monkeypatch):
    """Let SB3's own algorithms train our policy."""
    for algorithm in (PPO, A2C):
        monkeypatch.setitem(pairs.FAST, algorithm, algorithm)


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


@pytest.mark.usefixtures("_stock_algorithms")
@pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated")
@ALGORITHMS
@pytest.mark.parametrize(
    "name", ["pruned linear layer", "old weight norm of the first layer", "spectral norm"]
)
def test_sb3s_own_algorithms_train_changed_weights(algorithm, name):
    fast, stock = both(algorithm)
    assert type(fast) is algorithm
    with BREAKS[name].made(fast.policy, stock.policy):
        assert_same_update(fast, stock, steps=32)
    assert len(fast.policy._reasons) == 1


def observe(policy: Any, where: str, stack: contextlib.ExitStack) -> Counter[str]:
    """Count the calls of hooks that only look: forwards of all modules, backwards of two."""
    counted: Counter[str] = Counter()

    def looking(name: str) -> Any:
        return lambda *_: counted.update([name])

    if where == "all at once":
        names = {module: name for name, module in policy.named_modules()}
        handle = nn.modules.module.register_module_forward_hook(
            lambda module, *_: counted.update([names[module]] if module in names else [])
        )
        stack.callback(handle.remove)
        return counted
    for name, module in policy.named_modules():
        if name.startswith("features_extractor") == (where == "extractor"):
            module.register_forward_hook(looking(name))
            if type(module) is nn.Linear or name.endswith("cnn.2"):
                module.register_full_backward_hook(looking(f"{name} backwards"))
    return counted


@ALGORITHMS
@pytest.mark.parametrize("where", ["extractor", "behind it", "all at once"])
def test_hooks_that_only_look_are_called_as_often_as_in_sb3(algorithm, where):
    fast, stock = both(algorithm)
    frames = torch.randint(256, (3, *SHAPE), dtype=torch.uint8).numpy()
    with contextlib.ExitStack() as stack:
        counts = [observe(model.policy, where, stack) for model in (fast, stock)]
        for model in (fast, stock):
            model.predict(frames)
        assert counts[0] == counts[1] != {}
        predicted = counts[1].copy()
        assert_same_outputs(fast, stock)
        assert_same_update(fast, stock)
    assert counts[0] == counts[1]
    assert all(counts[1][name] > predicted[name] for name in predicted)
    assert any("backwards" in name for name in counts[1]) == (where != "all at once")
    assert bool(fast.policy._reasons) == (where != "behind it")


class Continuous(Patches):
    """Rewards the first of two numbers for its sign."""

    def __init__(self) -> None:
        super().__init__()
        self.action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)

    def step(self, action: Any) -> Any:
        return super().step(int(action[0] > 0))


@ALGORITHMS
@pytest.mark.parametrize("noise", [False, True])
def test_continuous_actions_and_noise_that_depends_on_the_state(
    algorithm, noise, monkeypatch, caplog
):
    caplog.set_level("INFO", "coordconv_rl.sb3")
    monkeypatch.setattr(pairs, "patches", lambda: DummyVecEnv([Continuous, Continuous]))
    fast, stock = both(algorithm, use_sde=noise, **({"sde_sample_freq": 3} if noise else {}))
    for model in (fast, stock):
        set_random_seed(5)
        model.learn(16)
    found, expected = (torch.from_numpy(model.rollout_buffer.actions) for model in (fast, stock))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5 * float(expected.abs().max()))
    assert_same(*(model.policy.state_dict() for model in (fast, stock)))
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == noise
    assert all("state-dependent noise" in line for line in said)


def test_a_class_of_sb3_that_is_changed_for_all(monkeypatch):
    fast, stock = both(A2C)
    monkeypatch.setattr(
        CategoricalDistribution, "sample", lambda self: self.distribution.logits.argmin(1)
    )
    assert_same_outputs(fast, stock)
    assert_same_update(fast, stock)
    frames = torch.randint(256, (3, *SHAPE), dtype=torch.uint8)
    lowest = fast.policy.get_distribution(frames).distribution.logits.argmin(1)
    assert torch.equal(fast.policy(frames)[0], lowest)


def test_policies_that_are_judged_side_by_side_keep_what_was_done_to_their_heads():
    own = both(PPO)[0].policy
    hooked, shadowed = copy.deepcopy(own), copy.deepcopy(own)
    hooked.action_net.register_forward_pre_hook(lambda module, args: (1 - args[0],))
    shadowed.action_net.forward = lambda features: features[:, :3]
    frames = torch.randint(256, (3, *SHAPE), dtype=torch.uint8)
    for policies in ([hooked, own], [own, hooked], [shadowed, own]):
        found = Judged(policies).logits(np.array([0, 1, 1]), frames.numpy())
        with torch.no_grad():
            each = [one.get_distribution(frames).distribution.logits for one in policies]
        assert_same(found, torch.cat([each[0][:1], each[1][1:]]))


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


class Midway(BaseCallback):
    """Changes a policy's network at a step, or before the first update."""

    def __init__(self, change: Any, step: int | None) -> None:
        super().__init__()
        self.change, self.step = change, step

    def _on_step(self) -> bool:
        if self.n_calls == self.step:
            self.change(self.model.policy.features_extractor)
        return True

    def _on_rollout_end(self) -> None:
        if self.step is None:
            self.change(self.model.policy.features_extractor)
            self.step = -1


def pruned(network: Any) -> None:
    prune.l1_unstructured(network.linear[0], "weight", 0.5)


def pruned_for_good(network: Any) -> None:
    prune.ln_structured(network.cnn[2], "weight", 0.25, 2, 0)
    prune.remove(network.cnn[2], "weight")


def hooked(network: Any) -> None:
    network.cnn[2].register_forward_hook(lambda module, args, y: 2 * y)


def with_other_coordinates(network: Any) -> None:
    network.cnn[0].shuffle_seed = 3


@ALGORITHMS
@pytest.mark.parametrize("step", [3, 12, None])
@pytest.mark.parametrize("change", [pruned, pruned_for_good, hooked, with_other_coordinates])
def test_networks_that_a_callback_changes_while_learning(algorithm, change, step):
    fast, stock = both(algorithm)
    assert_same_update(fast, stock, lambda: Midway(change, step), steps=32)


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
    def __init__(self, error: type[BaseException] | None = None) -> None:
        super().__init__()
        self.error = error

    def _on_step(self) -> bool:
        if self.n_calls == 11 and self.error is not None:
            raise self.error
        return self.n_calls < 11


@pytest.fixture
def _new_tensors():
    with only_new_tensors():
        yield


@pytest.mark.usefixtures("_new_tensors")
@pytest.mark.parametrize("error", [None, RuntimeError, KeyboardInterrupt])
def test_nothing_stays_of_a_rollout_that_ends_early(error):
    env = patches(shape=(4, 36, 36))
    model = FastA2C(CoordConvPolicy, env, n_steps=8, rollout_buffer_class=DeviceRolloutBuffer)
    frames = torch.zeros(2, 4, 36, 36, dtype=torch.uint8)

    def act(calls: int) -> None:
        model.policy.set_training_mode(False)
        with torch.no_grad():
            for _ in range(calls):
                model.policy(frames)

    model.learn(32)
    act(1)
    count, before = live_tensors()
    with pytest.raises(error) if error else contextlib.nullcontext():
        model.learn(64, callback=Stopping(error))
    assert model.num_timesteps == 22
    act(200)
    found, size = live_tensors()
    assert size < before + 10_000  # one step's images alone are more
    assert found < count + 100  # nor is one tensor kept of each call
    model.learn(32)  # as if nothing had been
    assert model.num_timesteps == 32


def test_what_acts_beside_the_rollout_is_not_kept():
    class Evaluating(BaseCallback):
        def _on_step(self) -> bool:
            with torch.no_grad():
                for _ in range(5):
                    self.model.policy(torch.zeros(2, *SHAPE, dtype=torch.uint8))
            if isinstance(self.model, FastA2C):
                recording = self.model.policy.acting_cache._own.rollout.recording
                assert len(recording._steps) == self.n_calls
            return True

    fast, stock = both(A2C)
    assert_same_update(fast, stock, Evaluating)
