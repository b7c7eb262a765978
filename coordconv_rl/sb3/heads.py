"""Heads: what becomes of a backbone's last feature maps before the linear layer.

"flatten" keeps each value at its place, so the linear layer has weights of its own for every place
and can tell places apart without coordinates. "pool" keeps each map's mean and forgets places: what
a network with this head knows of them, it knows from coordinates or from borders. "spatial-softmax"
keeps the expected place of each feature, and not how strong it is.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from coordconv_rl.arms import HEADS, Head
from coordconv_rl.errors import InputError, unknown
from coordconv_rl.layers import CoordinateGrid


class SpatialSoftmax(nn.Module):
    """The expected coordinates of each feature map (Finn et al. 2016, arXiv 1509.06113).

    The softmax of a map over its pixels, with a temperature that is learned (section IV-C there)
    and starts at 1, weighs the pixels' coordinates: x from -1 at the left to 1 at the right, y
    from -1 at the top to 1 at the bottom.

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
        dtype = torch.promote_types(maps.dtype, torch.float32)
        logits = maps.flatten(2).to(dtype) / self.temperature.to(dtype)
        weights = logits.softmax(2).unsqueeze(2)
        grid = self._grid.get(tuple(maps.shape[2:]), dtype=dtype, device=maps.device).flatten(2)
        return (weights * grid).sum(3).flatten(1).to(maps.dtype)


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
