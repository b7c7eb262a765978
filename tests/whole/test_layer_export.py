"""Copies, files, compilers, exporters and devices: layers go where torch's own layers go."""

from __future__ import annotations

import copy
import io
import pickle
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from concatenation import classical
from process_groups import end_process_group
from torch import nn
from torch.ao.quantization import get_default_qconfig_mapping
from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx
from torch.fx.experimental.optimization import fuse
from torch.fx.experimental.proxy_tensor import make_fx

from coordconv_rl.layers import (
    AddCoords,
    CoordConv1d,
    CoordConv2d,
    CoordConv3d,
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
@pytest.mark.parametrize(
    ("dynamo", "mode", "shuffle_seed"),
    [
        (True, torch.no_grad, None),
        (True, torch.enable_grad, 3),
        (False, torch.no_grad, None),
        (False, torch.no_grad, 3),
        (False, torch.enable_grad, 3),
    ],
)
def test_onnx_with_free_batch_size(
    shuffle_seed: int | None, mode: Any, dynamo: bool, tmp_path: Path
) -> None:
    eager = network(shuffle_seed).eval()
    x = torch.rand(3, 3, 6, 5)
    with mode():
        eager(x)  # under no_grad a map is kept that must not become a constant, or be left out
        path = export(eager, x, {0: "batch"}, dynamo, tmp_path)
        for parameter in eager[0].parameters():
            parameter.data.zero_()
    initialised = {tuple(w.dims) for w in onnx_model(path).graph.initializer}
    assert tuple(eager[0].coord_weight.shape) in initialised or dynamo
    torch.manual_seed(0)
    eager = network(shuffle_seed).eval()
    for batch in (1, 3, 7):
        x = torch.rand(batch, 3, 6, 5)
        np.testing.assert_allclose(run(path, x), eager(x).detach().numpy(), atol=1e-5)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dynamo", [True, False])
def test_onnx_with_free_image_size(dynamo: bool, tmp_path: Path) -> None:
    eager = CoordConv2d(3, 4, 3, padding=1, radius=True).eval()
    path = export(eager, torch.rand(2, 3, 6, 5), {2: "height", 3: "width"}, dynamo, tmp_path)
    for size in ((6, 5), (5, 9), (12, 7)):
        x = torch.rand(2, 3, *size)
        np.testing.assert_allclose(run(path, x), eager(x).detach().numpy(), atol=1e-5)


def export(
    model: nn.Module, x: torch.Tensor, free: dict[int, str], dynamo: bool, folder: Path
) -> Path:
    """Export to ONNX with free axes, by either exporter."""
    pytest.importorskip("onnxscript" if dynamo else "onnx")
    path = folder / "network.onnx"
    if dynamo:
        shapes = ({axis: torch.export.Dim(name, min=2) for axis, name in free.items()},)
        torch.onnx.export(model, (x,), str(path), dynamo=True, dynamic_shapes=shapes, verbose=False)
    else:
        torch.onnx.export(
            model, (x,), str(path), dynamo=False, input_names=["x"], dynamic_axes={"x": free}
        )
    return path


def onnx_model(path: Path) -> Any:
    return pytest.importorskip("onnx").load(str(path))


def run(path: Path, x: torch.Tensor) -> Any:
    session = pytest.importorskip("onnxruntime").InferenceSession(str(path))
    return session.run(None, {session.get_inputs()[0].name: x.numpy()})[0]


@pytest.mark.parametrize("shuffle_seed", [None, 3])
@pytest.mark.parametrize("mode", [torch.no_grad, torch.enable_grad])
def test_scripting_by_trace(shuffle_seed: int | None, mode: Any) -> None:
    eager = network(shuffle_seed).eval()
    with mode(), warnings.catch_warnings():
        # what tracing cannot follow it says, and of straight coordinates it follows everything
        says = "ignore" if shuffle_seed else "error"
        warnings.filterwarnings(says, category=torch.jit.TracerWarning)
        eager(torch.rand(2, 3, 6, 5))
        traced = torch.jit.trace(eager, torch.rand(2, 3, 6, 5))
    x = torch.rand(5, 3, 6, 5)
    torch.testing.assert_close(traced(x), eager(x), rtol=0, atol=1e-5)
    with torch.no_grad():
        eager[0].coord_weight.mul_(2)
    torch.testing.assert_close(traced(x), eager(x), rtol=0, atol=1e-5)
    other = torch.rand(2, 3, 9, 11)
    if shuffle_seed is None:
        torch.testing.assert_close(traced(other), eager(other), rtol=0, atol=1e-5)
    else:  # its permutation is of 6x5 pixels: an error, and never other values
        with pytest.raises(RuntimeError, match="invalid for input of size"):
            traced(other)


@pytest.mark.parametrize(
    ("layer", "size"),
    [
        (CoordConv1d(3, 4, 3, radius=True), (7,)),
        (CoordConv2d(3, 4, 3, padding="same", padding_mode="reflect"), (7, 6)),
        (CoordConv2d(3, 4, 3, stride=2, bias=False, radius=True), (7, 6)),
        (CoordConv3d(3, 4, 3), (7, 6, 5)),
        (CoordConvTranspose2d(3, 4, 3, 2, output_padding=1, radius=True), (7, 6)),
        (AddCoords(radius=True), (7, 6)),
        (network(), (6, 5)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_torchscript_compiles_without_an_example(
    layer: nn.Module, size: tuple[int, ...], tmp_path: Path
) -> None:
    scripted = torch.jit.script(layer)
    scripted.save(str(tmp_path / "layer.pt"))
    loaded = torch.jit.load(str(tmp_path / "layer.pt"))
    frozen = torch.jit.freeze(torch.jit.script(copy.deepcopy(layer).eval()))
    for shape in ((2, 3, *size), (1, 3, *(n + 4 for n in size)), (3, *size)):
        x = torch.rand(shape)
        if len(shape) == len(size) + 1 and isinstance(layer, AddCoords | nn.Sequential):
            continue
        for compiled in (scripted, loaded, frozen):
            torch.testing.assert_close(compiled(x), layer(x), rtol=0, atol=1e-5)
    if isinstance(layer, CoordConv2d):
        scripted(x).square().sum().backward()
        assert layer.coord_weight.grad is not None
        assert layer.coord_weight.grad.any()
        layer.zero_grad()


def test_torchscript_says_that_it_cannot_shuffle() -> None:
    scripted = torch.jit.script(CoordConv2d(3, 4, 3, shuffle_seed=1))
    with pytest.raises(torch.jit.Error, match=r"cannot compute shuffle_seed: take torch.jit.trace"):
        scripted(torch.rand(1, 3, 5, 5))


@pytest.mark.parametrize("shuffle_seed", [None, 3])
def test_fx_traces_layers_alone_and_within(shuffle_seed: int | None) -> None:
    layer = CoordConv2d(3, 4, 3, radius=True, shuffle_seed=shuffle_seed)
    for module in (layer, AddCoords(shuffle_seed=shuffle_seed), network(shuffle_seed)):
        traced = torch.fx.symbolic_trace(module)
        for x in (torch.rand(2, 3, 6, 5), torch.rand(1, 3, 9, 7)):
            torch.testing.assert_close(traced(x), module(x), rtol=0, atol=1e-5)
        loaded = pickle.loads(pickle.dumps(traced))
        assert torch.equal(loaded(x), traced(x))
    x = torch.rand(3, 6, 5)
    torch.testing.assert_close(torch.fx.symbolic_trace(layer)(x), layer(x))


def test_layers_are_single_steps_of_a_graph_as_torchs_own() -> None:
    traced = torch.fx.symbolic_trace(network())
    steps = [(node.op, node.target) for node in traced.graph.nodes]
    assert steps[1:4] == [("call_module", "0"), ("call_module", "1"), ("call_module", "2")]

    class Chosen(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.up = CoordConvTranspose2d(3, 4, 3, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.up(x, output_size=[12, 14])

    chosen, x = Chosen(), torch.rand(2, 3, 5, 6)
    torch.testing.assert_close(torch.fx.symbolic_trace(chosen)(x), chosen(x))


@pytest.mark.filterwarnings("ignore")
def test_static_quantisation_leaves_the_layers_in_float() -> None:
    x = torch.rand(8, 3, 12, 11)
    model = nn.Sequential(
        CoordConv2d(3, 4, 3, radius=True), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 3, 3)
    )
    model(x)
    wanted = model.eval()(x)
    prepared = prepare_fx(copy.deepcopy(model), get_default_qconfig_mapping(), (x,))
    prepared(x)
    found = convert_fx(prepared)(x)
    assert float((found - wanted).detach().abs().max() / wanted.detach().abs().max()) < 0.05


def test_fx_folds_no_batch_normalisation_wrongly() -> None:
    model = nn.Sequential(CoordConv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 1)).eval()
    with torch.no_grad():
        model[1].running_mean.uniform_()
        model[1].running_var.uniform_(0.5, 2)
    x = torch.rand(2, 3, 6, 5)
    torch.testing.assert_close(fuse(model)(x), model(x))
    optimised = torch.jit.optimize_for_inference(torch.jit.script(model))
    for _ in range(3):
        torch.testing.assert_close(optimised(x), model(x), rtol=0, atol=1e-5)


def test_graphs_of_operations_hold_no_kept_map() -> None:
    layer, x = CoordConv2d(3, 4, 3), torch.rand(2, 3, 6, 5)
    with torch.no_grad():
        layer(x)
        graph = make_fx(layer)(x)
        exported = torch.export.export(layer, (x,)).module()
        layer.coord_weight.mul_(2)
        wanted = classical(layer)(x)
        torch.testing.assert_close(graph(x), wanted)  # both share the layer's weights
        torch.testing.assert_close(exported(x), wanted)


@pytest.mark.parametrize("strict", [False, True])
def test_exports_with_free_sizes(strict: bool) -> None:
    layer, dim = CoordConv2d(3, 4, 3, radius=True), torch.export.Dim
    shapes = ({0: dim("n", min=2), 2: dim("h", min=4), 3: dim("w", min=4)},)
    with torch.no_grad():
        layer(torch.rand(2, 3, 6, 5))
        exported = torch.export.export(
            layer, (torch.rand(2, 3, 6, 5),), dynamic_shapes=shapes, strict=strict
        )
    x = torch.rand(5, 3, 9, 8)
    torch.testing.assert_close(exported.module()(x), layer(x))


def test_compiles_for_all_sizes_at_once() -> None:
    torch._dynamo.reset()
    layer = CoordConv2d(3, 4, 3, radius=True)
    compiled = torch.compile(layer, backend="aot_eager", dynamic=True, fullgraph=True)
    for size in (5, 6, 9):
        x = torch.rand(2, 3, size, size + 1)
        torch.testing.assert_close(compiled(x), layer(x))


@pytest.mark.filterwarnings("ignore")
def test_dynamic_quantisation_leaves_the_layers_in_float() -> None:
    model = nn.Sequential(CoordConv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 4 * 3, 5)).eval()
    twin = nn.Sequential(classical(model[0]), *model[1:]).eval()
    quantised, right = (
        torch.ao.quantization.quantize_dynamic(m, {nn.Linear}) for m in (model, twin)
    )
    x = torch.rand(2, 3, 6, 5)
    torch.testing.assert_close(quantised(x), right(x), rtol=0, atol=1e-5)
    assert torch.equal(quantised[0](x), model[0](x))


def test_distributed_data_parallel(tmp_path: Path) -> None:
    layer, x = CoordConv2d(3, 4, 3), torch.rand(2, 3, 6, 5)
    method = f"file://{tmp_path}/rendezvous"
    torch.distributed.init_process_group("gloo", init_method=method, rank=0, world_size=1)
    try:
        parallel = nn.parallel.DistributedDataParallel(layer)
        with torch.no_grad():
            parallel(x)
        parallel(x).square().sum().backward()
    finally:
        end_process_group()
    found = layer.coord_weight.grad.clone()
    layer.zero_grad()
    layer(x).square().sum().backward()
    torch.testing.assert_close(found, layer.coord_weight.grad)


def test_repr_names_the_options() -> None:
    assert "radius=True, shuffle_seed=4" in repr(CoordConv2d(3, 4, 3, radius=True, shuffle_seed=4))
    assert repr(AddCoords()) == "AddCoords(radius=False, shuffle_seed=None)"


@pytest.mark.gpu
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
