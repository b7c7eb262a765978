"""No tensor of the processor among those of another device, tried without one.

torch's device "meta" has tensors without contents, also in builds without CUDA. Layers, policies
and whole trainings run on it through the calls that they make on a GPU, and every call is looked
at. Where a value is asked for, the answer is made up. What depends on values, or on the device
being called "cuda", only a GPU shows: `make test-gpu`.
"""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3.common.preprocessing import preprocess_obs
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from coordconv_rl.agents.build import policy_settings
from coordconv_rl.arms import CONVOLUTIONS, HEADS, get_arm
from coordconv_rl.envs import AtariVecEnv
from coordconv_rl.fast import gate, interception
from coordconv_rl.layers import (
    AddCoords,
    CoordConv1d,
    CoordConv2d,
    CoordConv3d,
    CoordConvTranspose2d,
)
from coordconv_rl.sb3 import CoordConvExtractor, DeviceRolloutBuffer, FastA2C, FastPPO

SPACE, ACTIONS = spaces.Box(0, 255, (4, 84, 84), np.uint8), spaces.Discrete(4)
CPU, ELSEWHERE = torch.device("cpu"), torch.device("meta")
ARMS = ["cnn", "coordconv", "coordconv-r", "coordconv-all", "coordconv-actor", "shuffled"]
ARMS += ["coordconv-pool"]
ATEN = torch.ops.aten
COPIES = {ATEN.copy_, ATEN._to_copy}


class OneDevice(TorchDispatchMode):
    """Refuses what a GPU refuses: operations, but for copies, on tensors of two devices."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        leaves = tree_leaves((args, kwargs or {}))
        devices = {x.device.type for x in leaves if isinstance(x, Tensor) and x.dim()}
        assert len(devices) < 2 or func.overloadpacket in COPIES, f"{func} on {devices}"
        is_asked = ELSEWHERE.type in {x.device.type for x in leaves if isinstance(x, Tensor)}
        if is_asked and func.overloadpacket in {ATEN.equal, ATEN._local_scalar_dense}:
            return True
        if is_asked and func is ATEN._to_copy.default and kwargs.get("device") == CPU:
            return torch.zeros_like(args[0], device=CPU)
        return func(*args, **kwargs or {})


@pytest.fixture(autouse=True)
def _open_gate(monkeypatch):
    """Let the fast path take that device, and be watched."""
    monkeypatch.setattr(gate, "DEVICES", ("cpu", "meta"))
    watched = "operations are intercepted (a dispatch mode)"
    monkeypatch.setitem(interception._CHECKS, watched, lambda _: False)


def images(count=3, device=ELSEWHERE):
    return torch.zeros(count, *SPACE.shape, dtype=torch.uint8, device=device)


def check_gradients(loss, module):
    loss.backward()
    grads = [p.grad for p in module.parameters() if p.requires_grad]
    assert grads
    assert all(grad is not None and grad.device == ELSEWHERE for grad in grads)


def test_a_tensor_of_the_processor_is_found():
    class Wrong(nn.Module):
        def forward(self, x):
            return nn.functional.conv2d(x, torch.ones(1, 2, 3, 3))

    with OneDevice(), pytest.raises(AssertionError, match="convolution"):
        Wrong()(torch.zeros(1, 2, 5, 5, device=ELSEWHERE))


@pytest.mark.parametrize("options", [{}, {"radius": True}, {"radius": True, "shuffle_seed": 3}])
@pytest.mark.parametrize(
    "kind", [CoordConv1d, CoordConv2d, CoordConv3d, CoordConvTranspose2d, AddCoords]
)
def test_layers(kind, options):
    axes = {CoordConv1d: 1, CoordConv3d: 3}.get(kind, 2)
    layer = kind(**options) if kind is AddCoords else kind(2, 3, 3, **options)
    x = torch.zeros(2, 2, *[7] * axes)
    with torch.no_grad():
        layer(x)  # what it keeps is of the processor
    layer, x = layer.to(ELSEWHERE), x.to(ELSEWHERE)
    with OneDevice():
        with torch.no_grad():
            assert layer(x).device == ELSEWHERE
        if kind is not AddCoords:
            check_gradients(layer(x).sum(), layer)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("backbone", CONVOLUTIONS)
def test_extractors(backbone, head):
    extractor = CoordConvExtractor(SPACE, coords="all", backbone=backbone, head=head)
    with torch.no_grad():
        extractor(preprocess_obs(images(device="cpu"), SPACE))
    extractor = extractor.to(ELSEWHERE)
    with OneDevice():
        found = extractor(preprocess_obs(images(), SPACE))
        assert found.device == ELSEWHERE
        check_gradients(found.sum(), extractor)


def make(arm):
    """Make a policy that has acted on the processor before it moves."""
    policy, settings = policy_settings(get_arm(arm), seed=0, precision="bfloat16", algo="a2c")
    made = policy(SPACE, ACTIONS, lambda _: 1e-3, **settings)
    with torch.no_grad():
        made(images(device="cpu"))
    return made.to(ELSEWHERE)


@pytest.mark.parametrize("arm", ARMS)
def test_policies(arm):
    policy = make(arm)
    with OneDevice():
        with torch.no_grad():
            found = [*policy(images()), policy.predict_values(images())]
            found.append(policy.get_distribution(images()).mode())
        assert all(x.device == ELSEWHERE for x in found)
        policy.set_training_mode(True)
        actions = torch.zeros(3, device=ELSEWHERE)
        values, log_probs, entropies = policy.evaluate_actions(images(), actions)
        check_gradients(values.sum() + log_probs.sum() + entropies.sum(), policy)
        policy.optimizer = type(policy.optimizer)(policy.parameters(), lr=1e-3)
        policy.optimizer.step()
    assert not policy._reasons  # it was the fast path


@pytest.mark.parametrize("arm", ["coordconv", "coordconv-actor"])
@pytest.mark.parametrize(
    ("algorithm", "settings"),
    [(FastA2C, {"n_steps": 4}), (FastPPO, {"n_steps": 8, "batch_size": 8, "n_epochs": 2})],
)
def test_whole_trainings(algorithm, settings, arm):
    policy, kwargs = policy_settings(get_arm(arm), seed=0, precision="bfloat16", algo="a2c")
    with closing(AtariVecEnv("Breakout", n_envs=2)) as env, OneDevice():
        model = algorithm(
            policy, env, device=ELSEWHERE, seed=0, policy_kwargs=kwargs,
            rollout_buffer_class=DeviceRolloutBuffer, **settings,
        )  # fmt: skip
        model.learn(32)
    assert model._n_updates
    assert model.rollout_buffer.observations.device == ELSEWHERE
    assert not model.policy._reasons
