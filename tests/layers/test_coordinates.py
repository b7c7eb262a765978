"""What layers hold: coordinates without the known bugs, and initial weights."""

from __future__ import annotations

import copy
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from devices import NoFloat64
from torch import Tensor, nn

import coordconv_rl.layers.coordinates
from coordconv_rl.layers import (
    AddCoords,
    CoordConv1d,
    CoordConv2d,
    CoordConv3d,
    CoordConvTranspose2d,
    coordinate_channels,
)

PLAIN = {
    CoordConv1d: nn.Conv1d,
    CoordConv2d: nn.Conv2d,
    CoordConv3d: nn.Conv3d,
    CoordConvTranspose2d: nn.ConvTranspose2d,
}


# One test for each bug found in public CoordConv layers.


def test_bug_axes_normalised_by_each_others_size() -> None:
    x, y = coordinate_channels((3, 5))[0]
    assert torch.equal(x, torch.tensor([[-1, -0.5, 0, 0.5, 1]]).expand(3, 5))
    assert torch.equal(y, torch.tensor([[-1.0], [0], [1]]).expand(3, 5))


def test_bug_radius_centred_off_the_image() -> None:
    r = coordinate_channels((5, 7), radius=True)[0, 2]
    assert r[2, 3] == 0
    assert r.argmin() == 2 * 7 + 3
    assert torch.allclose(r[[0, 0, -1, -1], [0, -1, 0, -1]], torch.tensor(2.0).sqrt())
    assert torch.equal(r, r.flip(0, 1))


def test_bug_nan_on_axes_of_one_pixel() -> None:
    assert torch.equal(coordinate_channels((1, 1), radius=True), torch.zeros(1, 3, 1, 1))
    assert torch.equal(coordinate_channels((1, 3))[0, 1], torch.zeros(1, 3))
    assert torch.isfinite(CoordConv2d(3, 4, 1, radius=True)(torch.rand(2, 3, 1, 1))).all()


def test_bug_one_and_three_axes_not_normalised() -> None:
    assert coordinate_channels((5,)).tolist() == [[[-1, -0.5, 0, 0.5, 1]]]
    x, y, z, r = coordinate_channels((2, 3, 4), radius=True, dtype=torch.float64)[0]
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
        return coordinate_channels(*arguments, **options)

    monkeypatch.setattr(coordconv_rl.layers.coordinates, "coordinate_channels", counted)
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


def test_double_rounding_changes_nothing_where_float64_is_computed_elsewhere() -> None:
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        exact = coordinate_channels((3, 11), radius=True, dtype=torch.float64)
        assert torch.equal(coordinate_channels((3, 11), radius=True, dtype=dtype), exact.to(dtype))


@pytest.mark.parametrize("shuffle_seed", [None, 2])
@pytest.mark.parametrize("kind", [*PLAIN, AddCoords])
def test_devices_without_float64(kind: Any, shuffle_seed: int | None) -> None:
    options: dict[str, Any] = {"radius": True, "shuffle_seed": shuffle_seed}
    arguments = () if kind is AddCoords else (3, 4, 3)
    with NoFloat64(), torch.device("meta"):
        layer = kind(*arguments, **options)
        shape = (5, 6, 7)[: getattr(layer, "weight", torch.zeros(1, 1, 1, 1)).dim() - 2]
        output = layer(torch.zeros(2, 3, *shape))
        assert output.device.type == "meta"
        assert coordinate_channels((3, 4), **options).device.type == "meta"
        if kind is not AddCoords:
            output.square().sum().backward()
            assert all(p.grad.device.type == "meta" for p in layer.parameters())
        with pytest.raises(AssertionError, match="makes float64"):
            torch.zeros(2, dtype=torch.float64)


@pytest.mark.parametrize("gradients", [False, True])
@pytest.mark.parametrize("kind", [*PLAIN, AddCoords])
def test_a_used_layer_moves_to_a_device_without_float64(kind: Any, gradients: bool) -> None:
    """With what it keeps: coordinates, which are made in float64, and a map."""
    layer = kind(radius=True) if kind is AddCoords else kind(3, 4, 3, radius=True)
    shape = (5, 6, 7)[: getattr(layer, "weight", torch.zeros(1, 1, 1, 1)).dim() - 2]
    x = torch.zeros(2, 3, *shape)
    with torch.set_grad_enabled(gradients):
        wanted = layer(x)
        with NoFloat64():
            output = layer.to("meta")(x.to("meta"))
    assert (output.device.type, output.dtype) == ("meta", torch.float32)
    assert output.shape == wanted.shape


# Threads.


def test_a_map_whose_weights_are_trained_meanwhile_is_made_anew(monkeypatch) -> None:
    layer, make = CoordConv2d(3, 4, 3), CoordConv2d._make_map

    def meanwhile(*arguments: Any) -> Tensor:
        made = make(*arguments)
        layer.coord_weight.data.mul_(2)  # by another thread's optimizer
        return made

    with torch.no_grad():
        with monkeypatch.context() as patched:
            patched.setattr(CoordConv2d, "_make_map", meanwhile)
            layer.coordinate_map((5, 6))
        found = layer.coordinate_map((5, 6))
    torch.testing.assert_close(found, layer.coordinate_map((5, 6)).detach())
    assert torch.equal(found, make(layer, (5, 6), (0, 0)))


@pytest.mark.parametrize("kind", PLAIN)
def test_one_layer_in_many_threads(kind: Any) -> None:
    """Each with inputs of its own size: what is kept for one is not another's."""
    torch.manual_seed(0)
    layer = kind(2, 3, 3, radius=True, shuffle_seed=1).eval()
    axes = layer.weight.dim() - 2
    inputs = [torch.rand(1 + size % 2, 2, *range(size, size + axes)) for size in range(4, 10)]

    def compute(x: Tensor) -> list[Tensor]:
        torch.set_num_threads(1)
        with torch.no_grad():
            return [layer(x) for _ in range(30)]

    wanted = [compute(x)[0] for x in inputs]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(len(inputs)) as pool:
            found = list(pool.map(compute, inputs))
    finally:
        sys.setswitchinterval(before)
    for outputs, output in zip(found, wanted, strict=True):
        torch.testing.assert_close(outputs, [output] * 30)


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
    layer = CoordConv2d(3, 4, 3, device="meta")
    assert layer.coord_weight.device.type == "meta"
    assert layer(torch.zeros(2, 3, 5, 6, device="meta")).shape == (2, 4, 3, 4)
    assert layer.to_empty(device="cpu")(torch.zeros(2, 3, 5, 6)).shape == (2, 4, 3, 4)


def test_shuffling_permutes_whole_pixels_by_seed_and_size() -> None:
    straight = coordinate_channels((6, 7), radius=True).flatten(2)[0].T
    shuffled = coordinate_channels((6, 7), radius=True, shuffle_seed=1).flatten(2)[0].T
    assert not torch.equal(straight, shuffled)
    assert sorted(straight.tolist()) == sorted(shuffled.tolist())
    assert torch.equal(
        coordinate_channels((6, 7), shuffle_seed=1), coordinate_channels((6, 7), shuffle_seed=1)
    )
    assert not torch.equal(
        coordinate_channels((6, 7), shuffle_seed=1), coordinate_channels((6, 7), shuffle_seed=2)
    )
    layer = CoordConv2d(3, 4, 3, shuffle_seed=1)
    torch.manual_seed(0)
    x = torch.rand(2, 3, 6, 7)
    joined = torch.cat([x, coordinate_channels((6, 7), shuffle_seed=1).expand(2, -1, -1, -1)], 1)
    weight = torch.cat([layer.weight, layer.coord_weight], 1)
    wanted = nn.functional.conv2d(joined, weight, layer.bias)
    torch.testing.assert_close(layer(x), wanted, rtol=0, atol=1e-5)


def test_shuffled_pixels_never_change_between_versions() -> None:
    x = coordinate_channels((1, 5), shuffle_seed=0)[0, 0, 0].tolist()
    assert x == [0.5, 1.0, 0.0, -1.0, -0.5]


@pytest.mark.gpu
def test_what_a_cuda_graph_captures_is_not_kept() -> None:
    layer, x = CoordConv2d(3, 4, 3, radius=True).cuda(), torch.rand(2, 3, 6, 7).cuda()
    warm = torch.rand(2, 3, 9, 9).cuda()
    with torch.no_grad():
        layer(warm)
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            layer(warm)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            output = layer(x)
        wanted = copy.deepcopy(layer).cpu()(x.cpu())
        torch.testing.assert_close(layer(x).cpu(), wanted, rtol=0, atol=1e-2)  # before a replay
        graph.replay()
        torch.testing.assert_close(output.cpu(), wanted, rtol=0, atol=1e-2)
