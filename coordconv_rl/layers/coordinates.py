"""The coordinates of pixels, made once for each image size."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import torch
from torch import Tensor, nn


def coordinate_channels(
    spatial_shape: Sequence[int],
    *,
    radius: bool = False,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str | None = None,
    shuffle_seed: int | None = None,
) -> Tensor:
    """Make the coordinate channels of one image.

    Args:
        spatial_shape: Pixels along each spatial axis in the order of the input's axes: (H, W) for
            images, (L,) for sequences, (D, H, W) for volumes.
        radius: Whether to append the distance from the centre, sqrt(x^2 + y^2 + ...).
        dtype: Floating type of the result; the values are computed in float64 before.
        device: Where the result lives.
        shuffle_seed: If given, pixel positions are permuted by one permutation that is common to
            all channels and depends on this seed and the spatial shape alone.

    Returns:
        Shape (1, axes [+ 1], *spatial_shape): the last axis' coordinate first, values in [-1, 1]
        (the radius: 0 to sqrt(axes)).
    """
    axes = [
        (2.0 * torch.arange(size, dtype=torch.float64, device=device) - (size - 1))
        / max(size - 1, 1)
        for size in spatial_shape
    ]
    channels = list(reversed(torch.meshgrid(*axes, indexing="ij")))
    if radius:
        channels.append(torch.stack(channels).square().sum(0).sqrt())
    grid = torch.stack(channels).unsqueeze(0)
    if shuffle_seed is not None:
        order = torch.tensor(_permutation(shuffle_seed, tuple(spatial_shape)), device=device)
        grid = grid.flatten(2)[..., order].view(grid.shape)
    return grid.to(dtype)


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def _permutation(seed: int, spatial_shape: tuple[int, ...]) -> list[int]:
    """Permute the flat pixel positions, the same way on every machine and device."""
    order = list(range(math.prod(spatial_shape)))
    random.Random(f"{seed}:{'x'.join(map(str, spatial_shape))}").shuffle(order)
    return order


class CoordinateGrid:
    """Keeps the coordinates of the last image size; copies and pickles of it start empty.

    Args:
        radius: Whether the distance from the centre is one more channel.
        shuffle_seed: Permutes the pixels; see `coordinate_channels`.
    """

    def __init__(self, radius: bool = False, shuffle_seed: int | None = None) -> None:
        self.radius = radius
        self.shuffle_seed = shuffle_seed
        self._kept: tuple[object, Tensor] | None = None

    def __reduce__(self) -> tuple[type[CoordinateGrid], tuple[bool, int | None]]:
        return CoordinateGrid, (self.radius, self.shuffle_seed)

    def get(
        self, spatial_shape: tuple[int, ...], dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        """Return `coordinate_channels`, made again only if an argument differs from last time."""
        if tracing():
            return self._make(spatial_shape, dtype, device)
        key = (spatial_shape, dtype, device)
        kept = self._kept
        if kept is None or kept[0] != key:
            with torch.inference_mode(False):  # else training could not use it later
                kept = self._kept = (key, self._make(spatial_shape, dtype, device))
        return kept[1]

    def _make(
        self, spatial_shape: tuple[int, ...], dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        return coordinate_channels(
            spatial_shape,
            radius=self.radius,
            dtype=dtype,
            device=device,
            shuffle_seed=self.shuffle_seed,
        )


class AddCoords(nn.Module):
    """Concatenates coordinate channels to an input: CoordConv in its classical form.

    `CoordConv2d` and its siblings compute the same function as this followed by a convolution, and
    cost less.

    Args:
        radius: Whether the distance from the centre is one more channel.
        shuffle_seed: Permutes the coordinates' pixels; see `coordinate_channels`.
    """

    def __init__(self, *, radius: bool = False, shuffle_seed: int | None = None) -> None:
        super().__init__()
        self.radius = radius
        self.shuffle_seed = shuffle_seed
        self._grid = CoordinateGrid(radius, shuffle_seed)

    def forward(self, input: Tensor) -> Tensor:
        """Append the channels.

        Args:
            input: Shape (N, C, *spatial), one to three spatial axes, floating.

        Returns:
            Shape (N, C + channels, *spatial), the input's type.

        Raises:
            ValueError: If the input has no batch, channel and spatial axes or is not floating.
        """
        if not 3 <= input.dim() <= 5 or not input.is_floating_point():
            raise ValueError(
                f"AddCoords wants a floating input of shape (N, C, *spatial) with one to three "
                f"spatial axes, found {input.dtype} of shape {tuple(input.shape)}"
            )
        grid = self._grid.get(tuple(input.shape[2:]), input.dtype, input.device)
        return torch.cat([input, grid.expand(input.shape[0], *grid.shape[1:])], dim=1)

    def extra_repr(self) -> str:
        """Show the options in `repr`."""
        return f"radius={self.radius}, shuffle_seed={self.shuffle_seed}"


def tracing() -> bool:
    """Tell whether torch records operations (compile, export, jit) instead of computing now."""
    return torch.compiler.is_compiling() or bool(
        torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
    )
