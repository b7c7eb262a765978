"""The layers against torch's own convolution over the explicit concatenation."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch
from concatenation import LAYERS, assert_equal_functions, concatenating_twin
from torch import Tensor, nn
from torch.nn import functional as F

from coordconv_rl.errors import InputError
from coordconv_rl.layers import (
    AddCoords,
    CoordConv1d,
    CoordConv2d,
    CoordConv3d,
    CoordConvTranspose2d,
    coordinate_channels,
)

GEOMETRIES: list[dict[str, Any]] = [
    {},
    {"stride": 2},
    {"stride": 3, "padding": 1},
    {"padding": 2},
    {"padding": "same"},
    {"padding": "same", "dilation": 2},
    {"padding": "valid", "stride": 2},
    {"padding": 2, "dilation": 2},
    {"padding": 1, "bias": False},
    {"padding": 1, "padding_mode": "reflect"},
    {"padding": 2, "padding_mode": "replicate"},
    {"padding": 1, "padding_mode": "circular", "stride": 2},
    {"padding": "same", "padding_mode": "reflect"},
]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("options", GEOMETRIES, ids=str)
def test_equals_convolution_over_concatenation(
    options: dict[str, Any], rank: int, dtype: torch.dtype
) -> None:
    ours, plain = LAYERS[rank]
    for radius, kernel, size in ((False, (3, 3, 3), (8, 8, 8)), (True, (4, 3, 2), (9, 6, 7))):
        torch.manual_seed(1)
        layer = ours(2, 3, kernel[:rank], radius=radius, dtype=dtype, **options)
        twin = concatenating_twin(layer, plain, **options)
        assert_equal_functions(layer, twin.to(dtype), torch.randn(3, 2, *size[:rank], dtype=dtype))


@pytest.mark.parametrize("shape", [(7, 9), (8, 6), (1, 5), (6, 1), (1, 1), (16, 3)])
@pytest.mark.parametrize("batch", [0, 1, 5])
@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_all_sizes_batches_and_memory_formats(
    shape: tuple[int, int], batch: int, channels_last: bool, dtype: torch.dtype
) -> None:
    torch.manual_seed(2)
    layer = CoordConv2d(3, 4, 3, padding=1, radius=True, dtype=dtype)
    x = torch.randn(batch, 3, *shape, dtype=dtype)
    if channels_last:
        layer = layer.to(memory_format=torch.channels_last)
        x = x.to(memory_format=torch.channels_last)
    assert_equal_functions(layer, concatenating_twin(layer, nn.Conv2d, padding=1), x)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"stride": 2},
        {"stride": 2, "padding": 1, "output_padding": 1},
        {"stride": (3, 2), "padding": (0, 1), "dilation": 2, "bias": False},
    ],
    ids=str,
)
@pytest.mark.parametrize("radius", [False, True])
def test_transposed_equals_concatenation(options: dict[str, Any], radius: bool) -> None:
    torch.manual_seed(3)
    layer = CoordConvTranspose2d(3, 4, 3, radius=radius, dtype=torch.float64, **options)
    twin = concatenating_twin(layer, nn.ConvTranspose2d, **options)
    assert_equal_functions(layer, twin, torch.randn(2, 3, 5, 4, dtype=torch.float64))


def test_transposed_with_chosen_output_size() -> None:
    layer = CoordConvTranspose2d(3, 4, 3, stride=2, padding=1, dtype=torch.float64)
    twin = concatenating_twin(layer, nn.ConvTranspose2d, stride=2, padding=1)
    x = torch.randn(2, 3, 5, 4, dtype=torch.float64)
    for size in ([10, 8], [9, 7], [10, 7]):
        layer.zero_grad()
        twin.zero_grad()
        assert_equal_functions(layer, twin, x, output_size=size)
        assert list(layer(x, output_size=size).shape[2:]) == size


def test_unbatched_input_is_a_batch_of_one() -> None:
    x = torch.randn(3, 6, 5)
    for layer in (CoordConv2d(3, 4, 3), CoordConvTranspose2d(3, 4, 3)):
        assert torch.allclose(layer(x), layer(x[None])[0])
        assert layer(x).dim() == 3


@pytest.mark.parametrize("channels_last", [False, True])
def test_autocast_equals_concatenation_under_autocast(channels_last: bool) -> None:
    torch.manual_seed(4)
    layer = CoordConv2d(4, 8, 8, stride=4)
    twin = concatenating_twin(layer, nn.Conv2d, stride=4)
    x = torch.rand(6, 4, 84, 84)
    if channels_last:
        layer = layer.to(memory_format=torch.channels_last)
        x = x.to(memory_format=torch.channels_last)
    grid = coordinate_channels((84, 84)).expand(6, -1, -1, -1)
    with torch.autocast("cpu", torch.bfloat16):
        found, wanted = layer(x), twin(torch.cat([x, grid], 1))
    assert found.dtype == wanted.dtype == torch.bfloat16
    torch.testing.assert_close(found, wanted, rtol=0, atol=2e-2)
    found.float().square().sum().backward()
    wanted.float().square().sum().backward()
    gradient = torch.cat([layer.weight.grad, layer.coord_weight.grad], 1)
    scale = twin.weight.grad.abs().max()
    torch.testing.assert_close(gradient / scale, twin.weight.grad / scale, rtol=0, atol=3e-2)
    assert layer.coord_weight.grad.dtype == torch.float32


def test_half_precision_is_accepted() -> None:
    layer = CoordConv2d(3, 4, 3, dtype=torch.float16)
    x = torch.randn(2, 3, 6, 6, dtype=torch.float16)
    wanted = F.conv2d(
        torch.cat([x, coordinate_channels((6, 6), dtype=torch.float16).expand(2, -1, -1, -1)], 1),
        torch.cat([layer.weight, layer.coord_weight], 1),
        layer.bias,
    )
    assert layer(x).dtype == torch.float16
    torch.testing.assert_close(layer(x), wanted, rtol=0, atol=1e-2)


def test_addcoords_then_convolution_is_the_same_function() -> None:
    layer = CoordConv2d(3, 4, 3, padding=1, radius=True)
    x = torch.randn(2, 3, 5, 8)
    joined = AddCoords(radius=True)(x)
    assert joined.shape == (2, 6, 5, 8)
    assert torch.equal(joined[:, :3], x)
    assert torch.allclose(
        concatenating_twin(layer, nn.Conv2d, padding=1)(joined), layer(x), atol=1e-6
    )
    assert AddCoords().half()(x.half()).dtype == torch.float16


@pytest.mark.parametrize("x", [torch.zeros(3, 4), torch.zeros(1, 2, 3, 4, dtype=torch.uint8)])
def test_addcoords_refuses_what_has_no_pixels_or_is_no_float(x: Tensor) -> None:
    with pytest.raises(InputError, match="floating input"):
        AddCoords()(x)


@pytest.mark.parametrize("layer", [CoordConv1d, CoordConv2d, CoordConv3d, CoordConvTranspose2d])
def test_groups_are_refused_with_the_reason(layer: Any) -> None:
    with pytest.raises(ValueError, match="groups=2: coordinate channels belong to every group"):
        layer(4, 4, 3, groups=2)


@pytest.mark.parametrize(
    ("ours", "plain"), [*LAYERS.values(), (CoordConvTranspose2d, nn.ConvTranspose2d)]
)
def test_signature_is_torchs_with_two_more_options(ours: Any, plain: Any) -> None:
    found, wanted = inspect.signature(ours).parameters, inspect.signature(plain).parameters
    assert [*found] == [*wanted, "radius", "shuffle_seed"]
    for name, parameter in wanted.items():
        assert (found[name].kind, found[name].default) == (parameter.kind, parameter.default)
    with pytest.raises(TypeError, match="kernal_size"):
        ours(3, 4, kernal_size=3)


@pytest.mark.parametrize("kind", [CoordConv1d, CoordConv2d, CoordConv3d, CoordConvTranspose2d])
def test_skip_init_draws_nothing(kind: Any) -> None:
    before = torch.get_rng_state()
    layer = nn.utils.skip_init(kind, 3, 4, kernel_size=3, radius=True)
    assert torch.equal(torch.get_rng_state(), before)
    other = kind(3, 4, 3, radius=True)
    layer.load_state_dict(other.state_dict())
    x = torch.rand(2, 3, *(5, 6, 7)[: layer.weight.dim() - 2])
    assert torch.equal(layer(x), other(x))


def test_wrong_input_gets_torchs_own_error() -> None:
    with pytest.raises(RuntimeError, match="to have 3 channels"):
        CoordConv2d(3, 4, 3)(torch.zeros(1, 5, 8, 8))
    with pytest.raises(RuntimeError, match="Kernel size can't be greater"):
        CoordConv2d(3, 4, 3)(torch.zeros(1, 3, 2, 2))


def test_second_derivatives() -> None:
    layer = CoordConv2d(2, 3, 3, padding=1, dtype=torch.float64).to(
        memory_format=torch.channels_last
    )
    x = torch.randn(2, 2, 4, 5, dtype=torch.float64).to(memory_format=torch.channels_last)

    def function(x: Tensor, coord_weight: Tensor) -> Tensor:
        weights = {"weight": layer.weight, "bias": layer.bias, "coord_weight": coord_weight}
        return torch.func.functional_call(layer, weights, (x,)).square()

    inputs = (x.requires_grad_(), layer.coord_weight.detach().requires_grad_())
    assert torch.autograd.gradgradcheck(function, inputs)


def test_gradients_for_each_image_by_vmap() -> None:
    layer = CoordConv2d(2, 3, 3)
    weights = {name: p.detach() for name, p in layer.named_parameters()}
    x = torch.randn(4, 2, 5, 6)

    def loss(weights: dict[str, Tensor], image: Tensor) -> Tensor:
        return torch.func.functional_call(layer, weights, (image[None],)).square().sum()

    each = torch.func.vmap(torch.func.grad(loss), (None, 0))(weights, x)
    layer(x).square().sum().backward()
    torch.testing.assert_close(each["coord_weight"].sum(0), layer.coord_weight.grad)


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("channels_last", [False, True])
def test_equal_on_gpu(dtype: torch.dtype, channels_last: bool) -> None:
    layer = CoordConv2d(3, 4, 3, padding=1, radius=True, dtype=dtype, device="cuda")
    x = torch.randn(3, 3, 9, 6, dtype=dtype, device="cuda")
    if channels_last:
        layer = layer.to(memory_format=torch.channels_last)
        x = x.to(memory_format=torch.channels_last)
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        assert_equal_functions(layer, concatenating_twin(layer, nn.Conv2d, padding=1).cuda(), x)
    finally:
        torch.backends.cudnn.allow_tf32 = before


@pytest.mark.gpu
def test_coordinates_are_the_same_on_gpu() -> None:
    for seed in (None, 3):
        options: dict[str, Any] = {"radius": True, "shuffle_seed": seed}
        on_gpu = coordinate_channels((9, 7), device="cuda", **options).cpu()
        torch.testing.assert_close(
            on_gpu, coordinate_channels((9, 7), **options), rtol=0, atol=1e-6
        )
