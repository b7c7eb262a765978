"""Heads: what becomes of a backbone's last feature maps before the linear layer.

"flatten" keeps each value at its place, so the linear layer has weights of its own for every place
and can tell places apart without coordinates. "pool" keeps each map's mean and forgets places: what
a network with this head knows of them, it knows from coordinates or from borders. "spatial-softmax"
keeps the expected place of each feature, and not how strong it is.
"""

from typing import Any

import torch
from torch import Tensor, nn

from coordconv_rl.arms import HEADS, Head
from coordconv_rl.errors import InputError, unknown
from coordconv_rl.layers import CoordinateGrid, channels_like


class SpatialSoftmax(nn.Module):
    """The expected coordinates of each feature map (Finn et al. 2016, arXiv 1509.06113).

    The softmax of a map over its pixels weighs the pixels' coordinates: x from -1 at the left to 1
    at the right, y from -1 at the top to 1 at the bottom. Its temperature is learned, as in the
    paper, and starts at 1.

    Attributes:
        temperature: What the maps' values are divided by, a scalar.
    """

    def __init__(self) -> None:
        super().__init__()
        self.temperature = nn.Parameter(torch.ones(()))
        self._grid = CoordinateGrid()

    def forward(self, maps: Tensor) -> Tensor:
        """Map (N, K, H, W) to (N, 2 K): x and y of the first map, of the second, and so on.

        Half precision is too coarse for places, so these are computed in float32 at least.
        """
        if torch.jit.is_scripting():  # type: ignore[attr-defined]
            return expected_coordinates(maps, self.temperature, None)
        return self._forward(maps)

    def _forward(self, maps: Any) -> Tensor:
        if isinstance(maps, torch.fx.Proxy):
            return expected_coordinates(maps, self.temperature, None)  # type: ignore[arg-type]
        size, dtype = tuple(maps.shape[2:]), _wide(maps)
        grid = self._grid.get(size, dtype=dtype, device=maps.device)
        return expected_coordinates(maps, self.temperature, grid)


def _wide(maps: Tensor) -> torch.dtype:
    return torch.float64 if maps.dtype == torch.float64 else torch.float32


def expected_coordinates(maps: Tensor, temperature: Tensor, grid: Tensor | None) -> Tensor:
    """Compute what `SpatialSoftmax` does; TorchScript compiles it, torch.fx takes it as one step.

    Args:
        maps: Shape (N, K, H, W).
        temperature: A scalar.
        grid: The pixels' coordinates, (1, 2, H, W), in float32 at least; made if not given.

    Returns:
        Shape (N, 2 K), the maps' type.
    """
    dtype = _wide(maps)
    if grid is None:
        grid = channels_like(maps, 2, False, None, dtype)
    logits = maps.flatten(2).to(dtype) / temperature.to(dtype)
    weights = logits.softmax(2).unsqueeze(2)
    return (weights * grid.flatten(2)).sum(3).flatten(1).to(maps.dtype)


torch.fx.wrap("expected_coordinates")


def head_modules(head: Head) -> list[nn.Module]:
    """Return the modules that turn feature maps, (N, K, H, W), to a vector for each image.

    Args:
        head: "flatten": all K H W values. "pool": the K means, as Impoola does behind the last
            ReLU (Trumpp et al. 2025, arXiv 2503.05546, for backbone "impala"). "spatial-softmax":
            2 K expected coordinates, see `SpatialSoftmax`.

    Raises:
        InputError: If there is no such head.
    """
    if head == "flatten":
        return [nn.Flatten()]
    if head == "pool":
        return [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    if head == "spatial-softmax":
        return [SpatialSoftmax()]
    raise unknown("head", head, HEADS)


def check_maps(head: Head, maps: Tensor) -> None:
    """Raise `InputError` if the head can say nothing of feature maps of that shape.

    Args:
        head: The head.
        maps: Feature maps, (N, K, H, W).
    """
    if head == "spatial-softmax" and maps.shape[2:].numel() == 1:
        raise InputError(
            "head='spatial-softmax' gives the places of features, but the backbone's last maps "
            "have a single pixel: take larger images, or head='flatten'"
        )
