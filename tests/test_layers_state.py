"""What layers hold: coordinates, initial weights, kept maps, copies and exports."""

from __future__ import annotations

import copy
import io
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import coordconv_rl.grid
from coordconv_rl.layers import (
    AddCoords,
    CoordConv1d,
    CoordConv2d,
    CoordConv3d,
    CoordConvTranspose2d,
    coordinates,
)

PLAIN = {
    CoordConv1d: nn.Conv1d,
    CoordConv2d: nn.Conv2d,
    CoordConv3d: nn.Conv3d,
    CoordConvTranspose2d: nn.ConvTranspose2d,
}
compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="inductor needs g++")


# One test for each bug found in public CoordConv layers.


def test_bug_axes_normalised_by_each_others_size() -> None:
    x, y = coordinates((3, 5))[0]
    assert torch.equal(x, torch.tensor([[-1, -0.5, 0, 0.5, 1]]).expand(3, 5))
    assert torch.equal(y, torch.tensor([[-1.0], [0], [1]]).expand(3, 5))


def test_bug_radius_centred_off_the_image() -> None:
    r = coordinates((5, 7), radius=True)[0, 2]
    assert r[2, 3] == 0
    assert r.argmin() == 2 * 7 + 3
    assert torch.allclose(r[[0, 0, -1, -1], [0, -1, 0, -1]], torch.tensor(2.0).sqrt())
    assert torch.equal(r, r.flip(0, 1))


def test_bug_nan_on_axes_of_one_pixel() -> None:
    assert torch.equal(coordinates((1, 1), radius=True), torch.zeros(1, 3, 1, 1))
    assert torch.equal(coordinates((1, 3))[0, 1], torch.zeros(1, 3))
    assert torch.isfinite(CoordConv2d(3, 4, 1, radius=True)(torch.rand(2, 3, 1, 1))).all()


def test_bug_one_and_three_axes_not_normalised() -> None:
    assert coordinates((5,)).tolist() == [[[-1, -0.5, 0, 0.5, 1]]]
    x, y, z, r = coordinates((2, 3, 4), radius=True, dtype=torch.float64)[0]
    assert (x[0, 0, 0], x[0, 0, -1], y[0, 0, 0], y[0, -1, 0]) == (-1, 1, -1, 1)
    assert (z[0] == -1).all()
    assert (z[1] == 1).all()
    assert torch.allclose(r, (x**2 + y**2 + z**2).sqrt())


@pytest.mark.parametrize("kind", PLAIN)
def test_bug_weights_that_are_never_used(kind: Any) -> None:
    layer = kind(2, 3, 3, radius=True)
    assert sorted(dict(layer.named_parameters())) == ["bias", "coord_weight", "weight"]
    assert len(list(layer.modules())) == 1
    layer(torch.rand(2, 2, *(5, 6, 7)[: layer.weight.dim() - 2])).square().sum().backward()
    for name, parameter in layer.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


def test_bug_coordinates_built_on_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    def counted(*arguments: Any, **options: Any) -> Tensor:
        made.append(arguments)
        return coordinates(*arguments, **options)

    monkeypatch.setattr(coordconv_rl.grid, "coordinates", counted)
    for layer in (CoordConv2d(3, 4, 3), AddCoords()):
        made.clear()
        for _ in range(5):
            layer(torch.rand(2, 3, 8, 8))
        assert len(made) == 1
        layer(torch.rand(2, 3, 9, 8))
        assert len(made) == 2


def test_bug_low_precision_refused() -> None:
    for dtype in (torch.bfloat16, torch.float16):
        layer = CoordConv2d(3, 4, 3, radius=True).to(dtype)
        assert layer(torch.rand(2, 3, 8, 8, dtype=dtype)).dtype == dtype
        assert AddCoords(radius=True)(torch.rand(2, 3, 8, 8, dtype=dtype)).dtype == dtype


def test_bug_checkpoint_fits_one_image_size_only() -> None:
    trained, other = CoordConv2d(3, 4, 3), CoordConv2d(3, 4, 3)
    trained(torch.rand(2, 3, 8, 8))
    assert sorted(trained.state_dict()) == ["bias", "coord_weight", "weight"]
    other(torch.rand(2, 3, 5, 11))
    other.load_state_dict(trained.state_dict())
    x = torch.rand(2, 3, 13, 9)
    assert torch.equal(other(x), trained(x))
    assert AddCoords().state_dict() == {}


# Initial weights and the control.


@pytest.mark.parametrize("kind", PLAIN)
def test_shares_initial_weights_with_the_plain_layer(kind: Any) -> None:
    torch.manual_seed(5)
    plain, after_plain = PLAIN[kind](4, 6, 3), torch.rand(3)
    torch.manual_seed(5)
    layer, after = kind(4, 6, 3), torch.rand(3)
    assert torch.equal(plain.weight, layer.weight)
    assert torch.equal(plain.bias, layer.bias)
    assert torch.equal(after, after_plain)
    torch.manual_seed(5)
    assert torch.equal(kind(4, 6, 3).coord_weight, layer.coord_weight)
    torch.manual_seed(6)
    assert not torch.equal(kind(4, 6, 3).coord_weight, layer.coord_weight)


@pytest.mark.parametrize("kind", [CoordConv2d, CoordConvTranspose2d])
def test_coordinate_weights_fill_torchs_range(kind: Any) -> None:
    layer = kind(4, 64, 8)
    bound = float(layer.weight.detach().abs().max())
    largest = float(layer.coord_weight.detach().abs().max())
    assert 0.98 * bound < largest < 1.02 * bound
    assert abs(float(layer.coord_weight.detach().mean())) < 0.05 * bound
    own = layer.weight.detach().flatten()[: layer.coord_weight.numel()]
    correlation = np.corrcoef(own, layer.coord_weight.detach().flatten()[: own.numel()])[0, 1]
    assert abs(correlation) < 0.1


def test_reset_parameters_draws_all_weights_anew() -> None:
    layer, plain = CoordConv2d(3, 4, 3), nn.Conv2d(3, 4, 3)
    before = layer.coord_weight.detach().clone()
    torch.manual_seed(7)
    layer.reset_parameters()
    torch.manual_seed(7)
    plain.reset_parameters()
    assert torch.equal(layer.weight, plain.weight)
    assert not torch.equal(layer.coord_weight, before)


def test_meta_device() -> None:
    assert CoordConv2d(3, 4, 3, device="meta").coord_weight.device.type == "meta"


def test_shuffling_permutes_whole_pixels_by_seed_and_size() -> None:
    straight = coordinates((6, 7), radius=True).flatten(2)[0].T
    shuffled = coordinates((6, 7), radius=True, shuffle_seed=1).flatten(2)[0].T
    assert not torch.equal(straight, shuffled)
    assert sorted(straight.tolist()) == sorted(shuffled.tolist())
    assert torch.equal(coordinates((6, 7), shuffle_seed=1), coordinates((6, 7), shuffle_seed=1))
    assert not torch.equal(coordinates((6, 7), shuffle_seed=1), coordinates((6, 7), shuffle_seed=2))
    layer = CoordConv2d(3, 4, 3, shuffle_seed=1)
    torch.manual_seed(0)
    x = torch.rand(2, 3, 6, 7)
    joined = torch.cat([x, coordinates((6, 7), shuffle_seed=1).expand(2, -1, -1, -1)], 1)
    weight = torch.cat([layer.weight, layer.coord_weight], 1)
    wanted = nn.functional.conv2d(joined, weight, layer.bias)
    torch.testing.assert_close(layer(x), wanted, rtol=0, atol=1e-5)


def test_shuffled_pixels_never_change_between_versions() -> None:
    x = coordinates((1, 5), shuffle_seed=0)[0, 0, 0].tolist()
    assert x == [0.5, 1.0, 0.0, -1.0, -0.5]


# The map that is kept while weights stand still.


def write_in_place(layer: CoordConv2d) -> None:
    with torch.no_grad():
        layer.coord_weight.mul_(2)


def write_through_data(layer: CoordConv2d) -> None:
    layer.coord_weight.data.copy_(layer.coord_weight.data * 2)


def replace_data(layer: CoordConv2d) -> None:
    layer.coord_weight.data = layer.coord_weight.data * 2


def write_out_argument(layer: CoordConv2d) -> None:
    target = layer.coord_weight.data  # as SB3 moves target networks
    target.mul_(0.5)
    torch.add(target, torch.ones_like(target), alpha=0.5, out=target)


def write_bias(layer: CoordConv2d) -> None:
    layer.bias.data.add_(1)


def load(layer: CoordConv2d) -> None:
    layer.load_state_dict(CoordConv2d(3, 4, 3).state_dict())


def replace_parameter(layer: CoordConv2d) -> None:
    layer.coord_weight = nn.Parameter(torch.ones_like(layer.coord_weight))


def train_with(make: Callable[..., torch.optim.Optimizer], **options: Any) -> Any:
    def train(layer: CoordConv2d) -> None:
        optimizer = make(layer.parameters(), lr=0.1, **options)
        with torch.enable_grad():
            layer(torch.ones(2, 3, 6, 6)).square().sum().backward()
        optimizer.step()

    return train


@pytest.mark.parametrize(
    "change",
    [
        write_in_place,
        write_through_data,
        replace_data,
        write_out_argument,
        write_bias,
        load,
        replace_parameter,
        CoordConv2d.reset_parameters,
        train_with(torch.optim.SGD),
        train_with(torch.optim.Adam, fused=True),
        train_with(torch.optim.Adam, foreach=True),
        train_with(torch.optim.RMSprop, foreach=True),
    ],
)
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_kept_map_follows_every_change_of_the_weights(change: Any, mode: Any) -> None:
    layer, x = CoordConv2d(3, 4, 3), torch.ones(2, 3, 6, 6)
    with mode():
        before = layer(x)
    change(layer)
    with mode():
        after = layer(x)
    fresh = CoordConv2d(3, 4, 3)
    fresh.load_state_dict(layer.state_dict())
    torch.testing.assert_close(after, fresh(x).detach(), rtol=0, atol=1e-6)
    assert not torch.allclose(before, after)


def test_map_is_computed_once_while_weights_stand_still(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = CoordConv2d(3, 4, 3)
    made: list[Any] = []
    make = layer._make_map
    monkeypatch.setattr(layer, "_make_map", lambda *args: made.append(args) or make(*args))
    with torch.no_grad():
        for batch in (1, 5, 3):
            layer(torch.rand(batch, 3, 6, 6))
        assert len(made) == 1
        layer(torch.rand(2, 3, 7, 6))
        assert len(made) == 2
        with torch.autocast("cpu", torch.bfloat16):
            assert layer(torch.rand(2, 3, 7, 6)).dtype == torch.bfloat16
        assert len(made) == 3
    layer(torch.rand(2, 3, 7, 6)).sum().backward()
    assert len(made) == 4


def test_kept_values_follow_type_and_training_after_inference() -> None:
    layer, x = CoordConv2d(3, 4, 3), torch.rand(2, 3, 6, 6)
    with torch.inference_mode():
        layer(x)
    layer(x).sum().backward()
    assert layer.coord_weight.grad is not None
    with torch.no_grad():
        assert layer.double()(x.double()).dtype == torch.float64


def test_coordinate_map_is_what_coordinates_and_bias_add() -> None:
    layer, x = CoordConv2d(3, 4, 3, stride=2, radius=True), torch.rand(2, 3, 9, 8)
    added = layer.coordinate_map((9, 8))
    assert added.shape == (1, 4, 4, 3)
    assert added.requires_grad
    own = nn.functional.conv2d(x, layer.weight, stride=2)
    torch.testing.assert_close(own + added, layer(x))
    assert layer.coordinate_map((9, 8), dtype=torch.bfloat16).dtype == torch.bfloat16
    assert CoordConvTranspose2d(3, 4, 3, 2, output_padding=1).coordinate_map((4, 4)).shape[-1] == 10


# Copies, files, compilers.


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
