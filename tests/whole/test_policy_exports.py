"""Policies that are traced, exported, compiled or quantised compute what stock SB3's do."""

from __future__ import annotations

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
    with torch.no_grad():
        assert_same(traced(FRAMES.flip(0)), theirs(FRAMES.flip(0), True))


@PRECISIONS
@pytest.mark.parametrize("exporter", ["older", "newer"])
def test_onnx(precision, exporter, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    ours, theirs = pair(precision)
    path = str(tmp_path / "agent.onnx")
    with torch.no_grad():
        torch.onnx.export(
            Agent(ours), (FRAMES,), path,
            dynamo=exporter == "newer", input_names=["obs"], opset_version=18, verbose=False,
        )  # fmt: skip
        expected = theirs(FRAMES.flip(0), True)
    session = onnxruntime.InferenceSession(path)
    assert_same(session.run(None, {"obs": FRAMES.flip(0).numpy()}), expected)


def test_onnx_of_a_policy_whose_critic_sees_no_coordinates(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    ours, _ = pair("bfloat16", coordinates_for="actor")
    exact, _ = pair("float32", coordinates_for="actor")
    path = str(tmp_path / "agent.onnx")
    with torch.no_grad():
        torch.onnx.export(
            Agent(ours), (FRAMES,), path, dynamo=False, input_names=["obs"], opset_version=18
        )
        expected = exact(FRAMES, True)
    session = onnxruntime.InferenceSession(path)
    assert_same(session.run(None, {"obs": FRAMES.numpy()}), expected)


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
