"""Copies, files, compilers and devices."""

from __future__ import annotations

import copy
import io
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from coordconv_rl.layers import (
    AddCoords,
    CoordConv2d,
    CoordConvTranspose2d,
)

compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="inductor needs g++")


def test_copies_and_files_hold_parameters_only(tmp_path: Path) -> None:
    layer, x = CoordConv2d(3, 4, 3, radius=True, shuffle_seed=2), torch.rand(2, 3, 40, 40)
    empty = len(pickle.dumps(layer))
    with torch.no_grad():
        wanted = layer(x)
    torch.save(layer, tmp_path / "layer.pt")
    loaded = torch.load(tmp_path / "layer.pt", weights_only=False)
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)), loaded):
        assert torch.equal(twin(x), wanted)
        twin(x).sum().backward()
        twin.coord_weight.data.zero_()
    assert torch.equal(layer(x), wanted)
    assert len(pickle.dumps(layer)) == empty
    buffer = io.BytesIO()
    torch.save(layer.state_dict(), buffer)
    buffer.seek(0)
    layer.load_state_dict(torch.load(buffer, weights_only=True))


def network(shuffle_seed: int | None = None) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        CoordConv2d(3, 4, 3, padding=1, radius=True, shuffle_seed=shuffle_seed),
        nn.ReLU(),
        CoordConvTranspose2d(4, 4, 3, 2, shuffle_seed=shuffle_seed),
        AddCoords(shuffle_seed=shuffle_seed),
        nn.Conv2d(6, 3, 3),
    )


@pytest.mark.parametrize(("shuffle_seed", "warm"), [(None, True), (3, False)])
def test_compiles_whole(shuffle_seed: int | None, warm: bool) -> None:
    torch._dynamo.reset()
    eager = network(shuffle_seed)
    if warm:
        with torch.no_grad():
            eager(torch.rand(2, 3, 6, 5))
    compiled = torch.compile(eager, fullgraph=True, backend="aot_eager")
    for batch in (3, 2):
        x = torch.rand(batch, 3, 6, 5)
        eager.zero_grad()
        eager(x).square().sum().backward()
        wanted = [p.grad.clone() for p in eager.parameters()]
        eager.zero_grad()
        compiled(x).square().sum().backward()
        for ours, theirs in zip(eager.parameters(), wanted, strict=True):
            torch.testing.assert_close(ours.grad, theirs, rtol=1e-4, atol=1e-4)
    with torch.no_grad():
        torch.testing.assert_close(compiled(x), eager(x), rtol=0, atol=1e-5)
        eager[0].coord_weight.data.mul_(3)
        torch.testing.assert_close(compiled(x), eager(x), rtol=0, atol=1e-5)


@compiler
def test_compiles_to_machine_code() -> None:
    torch._dynamo.reset()
    layer, x = CoordConv2d(3, 4, 3, padding=1), torch.rand(3, 3, 6, 5)
    compiled = torch.compile(layer, fullgraph=True, dynamic=False)
    with torch.no_grad():
        torch.testing.assert_close(compiled(x), layer(x), rtol=0, atol=1e-5)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("shuffle_seed", [None, 3])
def test_onnx_with_free_batch_size(shuffle_seed: int | None, tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    eager = network(shuffle_seed).eval()
    x = torch.rand(3, 3, 6, 5)
    shapes = ({0: torch.export.Dim("batch")},)
    program = torch.onnx.export(eager, (x,), dynamo=True, dynamic_shapes=shapes, verbose=False)
    program.save(str(tmp_path / "network.onnx"))
    session = onnxruntime.InferenceSession(str(tmp_path / "network.onnx"))
    for batch in (1, 3, 7):
        x = torch.rand(batch, 3, 6, 5)
        (found,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
        np.testing.assert_allclose(found, eager(x).detach().numpy(), atol=1e-5)


def test_scripting_by_trace() -> None:
    eager = network().eval()
    traced = torch.jit.trace(eager, torch.rand(2, 3, 6, 5))
    x = torch.rand(5, 3, 6, 5)
    torch.testing.assert_close(traced(x), eager(x), rtol=0, atol=1e-5)


def test_repr_names_the_options() -> None:
    assert "radius=True, shuffle_seed=4" in repr(CoordConv2d(3, 4, 3, radius=True, shuffle_seed=4))
    assert repr(AddCoords()) == "AddCoords(radius=False, shuffle_seed=None)"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_moves_between_processor_and_gpu() -> None:
    layer, x = CoordConv2d(3, 4, 3), torch.rand(2, 3, 6, 6)
    with torch.no_grad():
        wanted = layer(x)
        found = layer.cuda()(x.cuda())
        layer.coord_weight.data.mul_(2)
        changed = layer(x.cuda())
        assert torch.allclose(found.cpu(), wanted, atol=1e-3)
        assert torch.allclose(layer.cpu()(x), changed.cpu(), atol=1e-3)
    torch.cuda.manual_seed(1)
    first = CoordConv2d(3, 4, 3, device="cuda").weight
    torch.cuda.manual_seed(1)
    assert torch.equal(nn.Conv2d(3, 4, 3, device="cuda").weight, first)
