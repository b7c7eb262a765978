"""The coordinates of pixels, made once for each image size, and the layer that appends them."""

import math
import operator
import random
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from coordconv_rl.errors import InputError, as_flag


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
        device: Where the result lives; by default torch's default device.
        shuffle_seed: If given, pixel positions are permuted by one permutation that is common to
            all channels and depends on this seed and the spatial shape alone.

    Returns:
        Shape (1, axes [+ 1], *spatial_shape): the last axis' coordinate first, values in [-1, 1]
        (the radius: 0 to sqrt(axes)).
    """
    where = torch.get_default_device() if device is None else torch.device(device)
    grid = _straight_channels(list(spatial_shape), radius, dtype, where)
    return grid if shuffle_seed is None else _shuffle(grid, shuffle_seed)


def channels_like(
    input: Tensor, axes: int, radius: bool, shuffle_seed: int | None, dtype: torch.dtype
) -> Tensor:
    """Make the coordinate channels of an input's pixels: one step of a graph of torch.fx.

    TorchScript compiles this too, so it keeps to the Python that TorchScript knows.

    Args:
        input: Shape (N, C, *spatial) or (C, *spatial).
        axes: Number of spatial axes.
        radius: As in `coordinate_channels`.
        shuffle_seed: As in `coordinate_channels`, but TorchScript cannot permute.
        dtype: As in `coordinate_channels`.

    Returns:
        Shape (1, channels, *spatial), or (channels, *spatial) where the input has no batch.
    """
    shape = list(input.shape[-axes:])
    grid = _straight_channels(shape, radius, dtype, input.device)
    if shuffle_seed is not None:
        if torch.jit.is_scripting():  # type: ignore[attr-defined]
            raise RuntimeError("TorchScript cannot compute shuffle_seed: take torch.jit.trace")
        else:  # noqa: RET506 - TorchScript would compile what follows
            grid = _shuffle(grid, shuffle_seed)
    if input.dim() == axes + 1:
        return grid[0]
    return grid


def append_channels(input: Tensor, radius: bool, shuffle_seed: int | None) -> Tensor:
    """Concatenate coordinate channels to an input; for torch.fx and TorchScript, as above."""
    grid = channels_like(input, input.dim() - 2, radius, shuffle_seed, input.dtype)
    size = [input.size(0)] + [-1] * (input.dim() - 1)
    return torch.cat([input, grid.expand(size)], dim=1)


def _straight_channels(
    spatial_shape: list[int], radius: bool, dtype: torch.dtype, device: torch.device
) -> Tensor:
    """Make the channels without a permutation.

    In float64 on processors and CUDA GPUs; for other devices on the processor, because some
    (Apple's GPUs) have no float64.
    """
    has_float64 = device.type == "cpu" or device.type == "cuda"  # noqa: PLR1714 - TorchScript
    where = device if has_float64 else torch.device("cpu")
    axes = [_axis(size, where) for size in spatial_shape]
    grid = torch.stack(torch.meshgrid(axes, indexing="ij")).flip(0)
    if radius:
        grid = torch.cat([grid, grid.square().sum(0, keepdim=True).sqrt()])
    return grid.to(dtype).to(device).unsqueeze(0)


def _axis(size: int, device: torch.device) -> Tensor:
    """Place pixels evenly from -1 to 1, one alone at 0.

    Twice their distances from the centre, in pixels, over the last one's. Nothing depends on the
    size as a number of Python, so traced graphs hold for other sizes too.
    """
    doubled = 2.0 * torch.arange(size, dtype=torch.float64, device=device) - (size - 1)
    return doubled / doubled[-1:].clamp(min=1.0)


def _shuffle(grid: Tensor, seed: int) -> Tensor:
    order = _permutation(operator.index(seed), tuple(int(size) for size in grid.shape[2:]))
    pixels = grid.flatten(2)[..., torch.tensor(order, device=grid.device)]
    return pixels.view(grid.shape)


def _permutation(seed: int, spatial_shape: tuple[int, ...]) -> list[int]:
    """Permute the flat pixel positions, the same way on every machine and device."""
    order = list(range(math.prod(spatial_shape)))
    random.Random(f"{seed}:{'x'.join(map(str, spatial_shape))}").shuffle(order)
    return order


# What torch.compiler.assume_constant_result does; to call it would import the compiler, and that
# makes a start without it half as long again.
_permutation._dynamo_marked_constant = True  # type: ignore[attr-defined]


class CoordinateGrid:
    """Keeps the coordinates of the last image size; copies and pickles of it start empty.

    Threads may share one: what is kept is replaced as a whole.
    """

    def __init__(self) -> None:
        self._kept: tuple[object, Tensor] | None = None

    def __reduce__(self) -> tuple[type["CoordinateGrid"], tuple[()]]:
        return CoordinateGrid, ()

    def get(
        self,
        spatial_shape: tuple[int, ...],
        *,
        radius: bool = False,
        shuffle_seed: int | None = None,
        dtype: torch.dtype,
        device: torch.device,
    ) -> Tensor:
        """Return `coordinate_channels`, made again only if an argument differs from last time."""
        key = (spatial_shape, radius, shuffle_seed, dtype, device)
        kept = self._kept
        if is_recording() or _is_captured(device):
            return self._make(*key)
        if kept is None or kept[0] != key:
            with torch.inference_mode(False):  # else training could not use it later
                kept = self._kept = (key, self._make(*key))
        return kept[1]

    def _make(
        self,
        spatial_shape: tuple[int, ...],
        radius: bool,
        shuffle_seed: int | None,
        dtype: torch.dtype,
        device: torch.device,
    ) -> Tensor:
        return coordinate_channels(
            spatial_shape, radius=radius, dtype=dtype, device=device, shuffle_seed=shuffle_seed
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
        self.radius = as_flag("radius", radius)
        self.shuffle_seed = None if shuffle_seed is None else operator.index(shuffle_seed)
        self._grid = CoordinateGrid()

    def forward(self, input: Tensor) -> Tensor:
        """Append the channels.

        Args:
            input: Shape (N, C, *spatial), one to three spatial axes, floating.

        Returns:
            Shape (N, C + channels, *spatial), the input's type.

        Raises:
            InputError: If the input has no batch, channel and spatial axes or is not floating.
        """
        if torch.jit.is_scripting():  # type: ignore[attr-defined]
            return append_channels(input, self.radius, self.shuffle_seed)
        return self._append(input)

    def _append(self, input: Any) -> Tensor:
        """Compute in Python: with kept coordinates, or as one step of a graph of torch.fx."""
        if isinstance(input, torch.fx.Proxy):
            return append_channels(input, self.radius, self.shuffle_seed)  # type: ignore[arg-type]
        if not 3 <= input.dim() <= 5 or not input.is_floating_point():
            raise InputError(
                f"AddCoords wants a floating input of shape (N, C, *spatial) with one to three "
                f"spatial axes, found {input.dtype} of shape {tuple(input.shape)}"
            )
        grid = self._grid.get(
            tuple(input.shape[2:]),
            radius=self.radius,
            shuffle_seed=self.shuffle_seed,
            dtype=input.dtype,
            device=input.device,
        )
        return torch.cat([input, grid.expand(input.shape[0], *grid.shape[1:])], dim=1)

    def extra_repr(self) -> str:
        """Show the options in `repr`."""
        return f"radius={self.radius}, shuffle_seed={self.shuffle_seed}"


torch.fx.wrap("append_channels")


def _is_captured(device: torch.device) -> bool:
    """Tell whether a CUDA graph is captured: what is made then has values only in replays."""
    return device.type == "cuda" and torch.cuda.is_current_stream_capturing()


def is_recording() -> bool:
    """Tell whether torch records operations instead of computing now.

    So it is in compilation, export and tracing, and where Python sees each operation (fake
    tensors, `make_fx`). Nothing that was computed before may be used then: it would be a constant
    of the graph.
    """
    return (
        torch.compiler.is_compiling()
        or bool(torch.jit.is_tracing())  # type: ignore[attr-defined, no-untyped-call]
        or torch._C._len_torch_dispatch_stack() > 0
    )
