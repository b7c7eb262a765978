"""What users keep, write into, replace early or order otherwise: in effect as in SB3."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pairs
import pytest
import torch
from images import patches
from pairs import ALGORITHMS, assert_same_update, both
from stable_baselines3 import A2C, PPO
from stable_baselines3.common import distributions, policies
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.distributions import CategoricalDistribution
from stable_baselines3.common.policies import ActorCriticCnnPolicy
from stable_baselines3.common.utils import set_random_seed
from torch import nn
from torch.distributions import Categorical

from coordconv_rl import CoordConvPolicy, FastA2C
from coordconv_rl.sb3 import algorithms
from coordconv_rl.sb3.rollout_buffer import DeviceRolloutBuffer


@pytest.fixture(autouse=True)
def _eager(monkeypatch):
    """Compute distinct patches once wherever there are some."""
    torch.set_num_threads(1)
    monkeypatch.setattr(algorithms, "_limits", lambda _: (1.0, 1.0, 1.0))
    monkeypatch.setattr(algorithms, "BACKWARD", (1.0, 1.0, 1.0))


class Shifting:
    """Writes into the features that it acts with."""

    def extract_features(self: Any, obs: Any, features_extractor: Any = None) -> Any:
        found = super().extract_features(obs, features_extractor)  # type: ignore[misc]
        if not self.training:
            found += 0.5
        return found


class FirstHalf:
    """Learns from the first half of a minibatch, which is a random one."""

    def evaluate_actions(self: Any, obs: Any, actions: Any) -> Any:
        values, log_prob, entropy = super().evaluate_actions(obs, actions)  # type: ignore[misc]
        weights = (torch.arange(len(values)) < len(values) // 2).float()
        return values * weights[:, None], log_prob * weights, entropy


class Viewing:
    """Looks at images as one row each."""

    def evaluate_actions(self: Any, obs: Any, actions: Any) -> Any:
        values, log_prob, entropy = super().evaluate_actions(obs, actions)  # type: ignore[misc]
        return values * (obs.view(len(obs), -1).float().mean(1) / 255)[:, None], log_prob, entropy


class Pairing:
    """Gives its extractor of actor and critic two tensors."""

    def _build_mlp_extractor(self: Any) -> None:
        super()._build_mlp_extractor()  # type: ignore[misc]
        self.mlp_extractor = Joining(self.features_dim)

    def extract_features(self: Any, obs: Any, features_extractor: Any = None) -> Any:
        found = super().extract_features(obs, features_extractor)  # type: ignore[misc]
        return found, found.tanh()


class Joining(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.latent_dim_pi = self.latent_dim_vf = size

    def forward(self, both: Any) -> Any:
        found = both[0] * (1 + both[1])
        return found, found

    def forward_critic(self, one: Any) -> Any:
        return one


@ALGORITHMS
@pytest.mark.parametrize("mixin", [Shifting, FirstHalf, Viewing, Pairing])
def test_a_policys_own_methods(algorithm, mixin):
    assert_same_update(*both(algorithm, mixin))


@ALGORITHMS
def test_a_dropout_behind_the_features_drops_what_it_does_in_sb3(algorithm):
    fast, stock = both(algorithm)
    for model in (fast, stock):
        model.policy.mlp_extractor.policy_net.append(nn.Dropout(0.5))
    assert_same_update(fast, stock)


class Cooling(nn.Module, CategoricalDistribution):
    """A categorical distribution with a temperature that is learned."""

    def __init__(self, dimensions: int) -> None:
        nn.Module.__init__(self)
        CategoricalDistribution.__init__(self, dimensions)
        self.temperature = nn.Parameter(torch.tensor(0.2))

    def proba_distribution(self, action_logits: Any) -> Any:
        return super().proba_distribution(action_logits / self.temperature)


@ALGORITHMS
def test_a_distribution_that_is_a_module(algorithm):
    fast, stock = both(algorithm)
    for model in (fast, stock):
        model.policy.action_dist = made = Cooling(3)
        model.policy.optimizer.add_param_group({"params": [made.temperature]})
        assert model.policy.action_dist is made
    assert_same_update(fast, stock)
    assert float(fast.policy.action_dist.temperature) != pytest.approx(0.2)


class FirstMasked(Categorical):
    def __init__(self, probs: Any = None, logits: Any = None, validate_args: Any = None) -> None:
        logits = logits.clone()
        logits[:, 0] = -1e8
        super().__init__(None, logits, validate_args)


def sample_in_turn(self: Any, sample_shape: Any = None) -> Any:
    return (self.logits.argmax(1) + torch.arange(len(self.logits))) % 3


def half(obs: Any, *_: Any, **__: Any) -> Any:
    return obs.float() / 510


@ALGORITHMS
@pytest.mark.parametrize(
    ("place", "name", "changed"),
    [
        (distributions, "Categorical", FirstMasked),
        (Categorical, "sample", sample_in_turn),
        (policies, "preprocess_obs", half),
    ],
)
def test_what_is_replaced_in_torch_and_sb3(algorithm, monkeypatch, place, name, changed):
    fast, stock = both(algorithm)
    monkeypatch.setattr(place, name, changed)
    assert_same_update(fast, stock)


EARLY = """
import torch
from torch import nn
from torch.nn import functional
{change}
assert "coordconv_rl" not in sys.modules
from coordconv_rl import AtariVecEnv, CoordConvPolicy, DeviceRolloutBuffer, FastA2C
from coordconv_rl.sb3.sampling import has_own_distribution
model = FastA2C(CoordConvPolicy, AtariVecEnv("Pong", 1), rollout_buffer_class=DeviceRolloutBuffer)
print(model._fast_parts() is None, has_own_distribution(model.policy))
"""
CHANGES = {
    "pass": "False True",
    "nn.ReLU.forward = lambda self, x: functional.leaky_relu(x)": "True True",
    "functional.relu = lambda x, inplace=False: torch.relu(x)": "True True",
    "from stable_baselines3.common.distributions import CategoricalDistribution as kind\n"
    "kind.sample = lambda self: self.distribution.logits.argmax(1)": "False False",
}
FORKS = """
import os, sys
import torch, torch._dynamo  # what takes longest to import
for program in sys.argv[1:]:
    if not (child := os.fork()):
        exec(program)
        sys.stdout.flush()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
"""


def test_what_is_replaced_before_the_import_is_not_taken_for_the_libraries_own():
    """Each change in a process of its own, forked where that can be: torch is imported once."""
    programs = ["import sys" + EARLY.format(change=change) for change in CHANGES]
    python = [sys.executable, "-c"]
    commands = (
        [[*python, FORKS, *programs]]
        if hasattr(os, "fork")
        else [[*python, program] for program in programs]
    )
    said = [
        subprocess.run(command, capture_output=True, text=True, check=True, timeout=240).stdout
        for command in commands
    ]
    assert "".join(said).strip().splitlines() == list(CHANGES.values())


class Keeping:
    """Keeps the images of its minibatches."""

    def evaluate_actions(self: Any, obs: Any, actions: Any) -> Any:
        kept = self.__dict__.setdefault("_kept", [])
        kept.append(obs)
        return super().evaluate_actions(obs, actions)  # type: ignore[misc]


@ALGORITHMS
def test_images_that_are_kept_stay_those_of_their_minibatch(algorithm):
    fast, stock = both(algorithm, Keeping)
    for model in (fast, stock):
        set_random_seed(5)
        model.learn(3 * pairs.STEPS)
    for ours, theirs in zip(fast.policy._kept, stock.policy._kept, strict=True):
        assert torch.equal(torch.as_tensor(ours) + 0, theirs)


class KeepsRollouts(BaseCallback):
    """Keeps the images of each rollout as the buffer has them."""

    def _on_training_start(self) -> None:
        self.kept: list[Any] = []
        self.sums: list[float] = []

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        self.kept.append(self.model.rollout_buffer.observations)  # type: ignore[attr-defined]
        self.sums.append(float(self.kept[-1].sum()))


@ALGORITHMS
def test_a_rollout_that_a_callback_keeps_stays_as_it_is(algorithm):
    fast, _ = both(algorithm)
    callback = KeepsRollouts()
    fast.learn(3 * pairs.STEPS, callback)
    assert [float(images.sum()) for images in callback.kept] == callback.sums


def test_a_buffer_that_is_resized_holds_its_rollouts():
    fast, stock = both(A2C)
    for model in (fast, stock):
        model.n_steps = model.rollout_buffer.buffer_size = 16
        model.rollout_buffer.reset()
    assert_same_update(fast, stock, steps=32)


class Halving(A2C):
    """Changes the images between the rollout and the update."""

    def train(self) -> None:
        self.rollout_buffer.observations[:] //= 2
        super().train()


class FastHalving(FastA2C, Halving):
    pass


def test_an_update_of_somebodys_own_behind_ours(monkeypatch):
    monkeypatch.setitem(pairs.SETTINGS, Halving, pairs.SETTINGS[A2C])
    monkeypatch.setitem(pairs.FAST, Halving, FastHalving)
    fast, stock = both(Halving)
    assert_same_update(fast, stock)
    assert "A2C.train was changed, and may change the rollout" in fast._reasons


@ALGORITHMS
def test_a_network_that_diverged_raises_what_its_callers_know(algorithm, monkeypatch):
    monkeypatch.setattr(torch.distributions.Distribution, "_validate_args", True)  # the default
    for model in both(algorithm):
        with torch.no_grad():
            model.policy.action_net.bias.fill_(float("nan"))
        with pytest.raises(ValueError, match="logits"):
            model.learn(pairs.STEPS)


def test_arguments_by_place_are_sb3s():
    env = patches()
    for policy in (CoordConvPolicy, ActorCriticCnnPolicy):
        made = policy(env.observation_space, env.action_space, lambda _: 1e-3, [64], nn.ReLU)
        assert (made.net_arch, made.activation_fn) == ([64], nn.ReLU)
        for wrong, more in (([[64]], {"net_arch": [32]}), ([None] * 20, {})):
            with pytest.raises(TypeError, match=r"multiple values|too many|takes from"):
                policy(env.observation_space, env.action_space, lambda _: 1e-3, *wrong, **more)
    spaces = env.observation_space, env.action_space
    for kind in (DeviceRolloutBuffer, RolloutBuffer):
        buffer = kind(4, *spaces, "cpu", 0.95, 0.9, 2)
        assert (buffer.gae_lambda, buffer.gamma, buffer.n_envs) == (0.95, 0.9, 2)


def dimmed(self: Any, array: Any, copy: bool = True) -> Any:
    made = torch.as_tensor(array, device=self.device)
    return made // 2 if made.dtype == torch.uint8 else made


@ALGORITHMS
@pytest.mark.parametrize("place", ["class", "instance"])
def test_a_buffers_own_conversion(algorithm, monkeypatch, place):
    fast, stock = both(algorithm)
    if place == "class":
        monkeypatch.setattr(RolloutBuffer, "to_torch", dimmed)
    else:
        for model in (fast, stock):
            model.rollout_buffer.to_torch = functools.partial(dimmed, model.rollout_buffer)
    assert_same_update(fast, stock)


@ALGORITHMS
def test_a_buffers_own_minibatches(algorithm):
    fast, stock = both(algorithm)
    for model in (fast, stock):
        buffer = model.rollout_buffer
        given = buffer._get_samples
        buffer._get_samples = lambda inds, env=None, given=given: given(np.flip(inds).copy(), env)
    assert_same_update(fast, stock)


def test_minibatches_lie_as_sb3s_do():
    fast, _ = both(PPO)
    fast.learn(pairs.STEPS)
    (batch,) = fast.rollout_buffer.get(None)
    assert batch.observations.is_contiguous()
    assert np.prod(batch.observations.shape) == batch.observations.view(-1).numel()
