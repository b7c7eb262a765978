"""CoordConv by its definition: torch's own convolution over the explicit concatenation."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from coordconv_rl.layers import (
    AddCoords,
    CoordConv1d,
    CoordConv2d,
    CoordConv3d,
)

LAYERS = {
    1: (CoordConv1d, nn.Conv1d),
    2: (CoordConv2d, nn.Conv2d),
    3: (CoordConv3d, nn.Conv3d),
}
TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-5, torch.bfloat16: 3e-2}


def grid_by_hand(shape: tuple[int, ...], radius: bool) -> Tensor:
    """The coordinates of each pixel, by the definition, pixel by pixel."""
    grid = torch.zeros(len(shape) + radius, *shape, dtype=torch.float64)
    for place in torch.cartesian_prod(*[torch.arange(n) for n in shape]).reshape(-1, len(shape)):
        values = [
            -1 + 2 * int(i) / (n - 1) if n > 1 else 0.0 for i, n in zip(place, shape, strict=True)
        ][::-1]
        values += [math.sqrt(sum(v * v for v in values))] if radius else []
        grid[(slice(None), *place.tolist())] = torch.tensor(values, dtype=torch.float64)
    return grid


def concatenating_twin(layer: Any, plain: type[nn.Module], **options: Any) -> nn.Module:
    """Torch's own layer over the concatenation, with the weights of `layer`."""
    channels = layer.in_channels + len(layer.kernel_size) + layer.radius
    twin: Any = plain(channels, layer.out_channels, layer.kernel_size, **options)
    axis = 0 if layer.transposed else 1
    weight = torch.cat([layer.weight, layer.coord_weight], axis).detach()
    twin.weight = nn.Parameter(weight)
    if layer.bias is not None:
        twin.bias = nn.Parameter(layer.bias.detach().clone())
    return twin  # type: ignore[no-any-return]


def classical(layer: CoordConv2d, **options: Any) -> nn.Sequential:
    """The same function as `layer` made of torch's parts: AddCoords, then a plain convolution."""
    channels = AddCoords(radius=layer.radius, shuffle_seed=layer.shuffle_seed)
    return nn.Sequential(channels, concatenating_twin(layer, nn.Conv2d, **options))


def assert_equal_functions(layer: Any, twin: Any, x: Tensor, **call: Any) -> None:
    """Outputs and all gradients agree, relative to the size of the values."""
    tolerance = TOLERANCE[x.dtype]
    x, z = x.clone().requires_grad_(), x.clone().requires_grad_()
    grid = grid_by_hand(tuple(x.shape[2:]), layer.radius).to(x)
    joined = torch.cat([z, grid.expand(len(z), *grid.shape)], 1)
    found, wanted = layer(x, **call), twin(joined, **call)
    assert found.shape == wanted.shape
    assert found.dtype == wanted.dtype
    weigh = torch.rand_like(wanted)
    (found * weigh).sum().backward()
    (wanted * weigh).sum().backward()
    axis = 0 if layer.transposed else 1
    gradients = torch.cat([layer.weight.grad, layer.coord_weight.grad], axis)
    pairs = [(found, wanted), (x.grad, z.grad), (gradients, twin.weight.grad)]
    if layer.bias is not None:
        pairs.append((layer.bias.grad, twin.bias.grad))
    for ours, theirs in pairs:
        size = float(theirs.detach().abs().max()) if theirs.numel() else 0.0
        torch.testing.assert_close(ours, theirs, rtol=0, atol=tolerance * max(size, 1))
    with torch.no_grad():  # twice: the second answer comes from the kept map
        for _ in range(2):
            torch.testing.assert_close(layer(x, **call), found, rtol=0, atol=tolerance)
