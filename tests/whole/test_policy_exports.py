"""Policies that are traced, exported, compiled or quantised compute what stock SB3's do."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from images import SHAPE
from stable_baselines3.common.policies import ActorCriticCnnPolicy
from torch import Tensor, nn

from coordconv_rl import CoordConvExtractor, CoordConvPolicy

SPACE = spaces.Box(0, 255, SHAPE, np.uint8)
FRAMES = torch.randint(256, (3, *SHAPE), dtype=torch.uint8)
PRECISIONS = pytest.mark.parametrize("precision", ["float32", "bfloat16"])
pytestmark = pytest.mark.filterwarnings("ignore")  # of torch's exporters, about themselves


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


class Agent(nn.Module):
    """What people export: observations in; actions, values and log-probabilities out."""

    def __init__(self, policy: Any) -> None:
        super().__init__()
        self.policy = policy

    def forward(self, obs: Tensor) -> Any:
        return self.policy(obs, deterministic=True)


def pair(precision: str, **options: Any) -> tuple[Any, Any]:
    """Return our policy and SB3's with the same weights."""
    torch.manual_seed(0)
    theirs = ActorCriticCnnPolicy(
        SPACE, spaces.Discrete(3), lambda _: 1e-3,
        features_extractor_class=CoordConvExtractor, net_arch=[],
    ).eval()  # fmt: skip
    ours = CoordConvPolicy(
        SPACE, spaces.Discrete(3), lambda _: 1e-3, precision=precision, **options
    ).eval()
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def assert_same(found: Any, expected: Any, atol: float = 1e-5) -> None:
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(torch.as_tensor(a), b, rtol=0, atol=atol)


@PRECISIONS
@pytest.mark.parametrize("gradients", [False, True])
def test_traced(precision, gradients):
    ours, theirs = pair(precision)
    with torch.set_grad_enabled(gradients):
        traced = torch.jit.trace(Agent(ours), (FRAMES,))
    assert_computes(traced, theirs, (3, 1, 9))


def assert_computes(exported: Any, policy: Any, batches: tuple[int, ...]) -> None:
    """Compare an exported policy with one in float32, on images that it was not exported with."""
    for count in batches:
        frames = torch.randint(256, (count, *SHAPE), dtype=torch.uint8)
        with torch.no_grad():
            assert_same(exported(frames), policy(frames, True))


def onnx_of(policy: Any, path: Any, *, exporter: str, dynamic: bool, gradients: bool) -> Any:
    """Export a policy to ONNX; return a function that computes by that file.

    Args:
        policy: The policy.
        path: Where the file goes.
        exporter: "older", which traces, or "newer", by `torch.export`.
        dynamic: Whether the number of images is left open.
        gradients: Whether gradients are enabled meanwhile.
    """
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript" if exporter == "newer" else "onnx")
    outputs, options = ["actions", "values", "log_prob"], {}
    if dynamic and exporter == "newer":
        options["dynamic_shapes"] = {"obs": {0: torch.export.Dim.DYNAMIC}}
    elif dynamic:
        options["dynamic_axes"] = {name: {0: "images"} for name in ("obs", *outputs)}
    with torch.set_grad_enabled(gradients):
        torch.onnx.export(
            Agent(policy), (FRAMES,), str(path), dynamo=exporter == "newer", input_names=["obs"],
            output_names=outputs, opset_version=18, verbose=False, **options,
        )  # fmt: skip
    session = onnxruntime.InferenceSession(str(path))
    return lambda frames: session.run(None, {"obs": frames.numpy()})


ONNX = [
    *itertools.product(["older"], ["float32", "bfloat16"], [False, True], [False, True]),
    *(("newer", "float32", dynamic, True) for dynamic in (False, True)),
    *(("newer", "bfloat16", dynamic, False) for dynamic in (False, True)),  # a second each
]


@pytest.mark.parametrize(("exporter", "precision", "dynamic", "gradients"), ONNX)
def test_onnx(exporter, precision, dynamic, gradients, tmp_path):
    ours, theirs = pair(precision)
    path = tmp_path / "agent.onnx"
    found = onnx_of(ours, path, exporter=exporter, dynamic=dynamic, gradients=gradients)
    assert_computes(found, theirs, (3, 1, 9) if dynamic else (3,))


@pytest.mark.parametrize("gradients", [False, True])
def test_onnx_of_a_policy_whose_critic_sees_no_coordinates(gradients, tmp_path):
    ours, _ = pair("bfloat16", coordinates_for="actor")
    exact, _ = pair("float32", coordinates_for="actor")
    path = tmp_path / "agent.onnx"
    found = onnx_of(ours, path, exporter="older", dynamic=True, gradients=gradients)
    assert_computes(found, exact, (3, 1, 9))


@pytest.mark.parametrize(("precision", "atol"), [("float32", 1e-5), ("bfloat16", 2e-2)])
def test_compiled(precision, atol):
    ours, theirs = pair(precision)
    torch._dynamo.reset()
    compiled = torch.compile(ours, backend="eager")
    with torch.no_grad():
        assert_same(compiled(FRAMES, deterministic=True)[1:], theirs(FRAMES, True)[1:], atol)


@PRECISIONS
def test_quantised(precision):
    found, expected = (
        torch.ao.quantization.quantize_dynamic(policy, {nn.Linear}, dtype=torch.qint8)
        for policy in pair(precision)
    )
    with torch.no_grad():
        assert_same(found(FRAMES, True), expected(FRAMES, True))
        assert_same([found.predict_values(FRAMES)], [expected.predict_values(FRAMES)])
