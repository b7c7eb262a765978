"""Convolutions that know where they look: CoordConv (Liu et al. 2018, arXiv 1807.03247).

Extra input channels hold each pixel's own coordinates: x along the width, then y along the height,
then z along the depth, each linear from -1 at the first pixel to +1 at the last, then optionally
r, their Euclidean distance from the centre. An axis of one pixel gets 0.

A convolution is linear in its input channels, so the coordinates' share of the output is one map
for the whole batch. The layers here compute that map once and add it, together with the bias, to
the convolution of the input's own channels: the same function as a convolution over the
concatenation, borders included, at nearly the cost of a plain convolution.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from coordconv_rl.layers.coordinate_map import KeptMap, add_to_each
from coordconv_rl.layers.coordinates import CoordinateGrid, tracing


class _CoordConvNd(_ConvNd):
    """What the four layers share: the coordinates' weights and their share of the output."""

    coord_weight: nn.Parameter

    def __init__(
        self, *args: Any, radius: bool = False, shuffle_seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if self.groups != 1:
            raise ValueError(
                f"{type(self).__name__} takes groups=1 only, found groups={self.groups}: "
                "coordinate channels belong to every group, which a grouped convolution cannot "
                "express; put AddCoords and a plain convolution before it instead"
            )
        self._give_coordinates(radius, shuffle_seed)
        self._reset_coordinates()

    def _give_coordinates(self, radius: bool, shuffle_seed: int | None) -> None:
        """Add all that the torch layer does not have; the new weights are zero."""
        self.radius = radius
        self.shuffle_seed = shuffle_seed
        channels = len(self.kernel_size) + radius
        own = self.weight
        shape = (
            (channels, *own.shape[1:])
            if self.transposed
            else (own.shape[0], channels, *own.shape[2:])
        )
        self.coord_weight = nn.Parameter(torch.zeros(shape, dtype=own.dtype, device=own.device))
        self._grid = CoordinateGrid(radius, shuffle_seed)
        self._kept: KeptMap | None = None

    def reset_parameters(self) -> None:
        """Draw all weights anew; `weight` and `bias` as torch's layer does, draw for draw."""
        super().reset_parameters()
        if "coord_weight" in self._parameters:
            self._reset_coordinates()

    def _reset_coordinates(self) -> None:
        """Draw `coord_weight` within torch's bound for `weight`, leaving torch's own draws alone.

        The seed comes from a twin of the random generator, so layers and plain convolutions that
        are built after this one start equal whether or not this one has coordinates.
        """
        device = self.weight.device
        if device.type == "meta":
            return
        on_gpu = device.type == "cuda"
        twin = torch.Generator(device if on_gpu else "cpu")
        twin.set_state(torch.cuda.get_rng_state(device) if on_gpu else torch.get_rng_state())
        seed = int(torch.randint(2**62, (), generator=twin, device=twin.device))
        bound = 1 / math.sqrt(max(self.weight[0].numel(), 1))
        draws = torch.empty(self.coord_weight.shape, dtype=torch.float32, device="cpu")
        draws.uniform_(-bound, bound, generator=torch.Generator("cpu").manual_seed(seed))
        with torch.no_grad():
            self.coord_weight.copy_(draws)

    def coordinate_map(
        self,
        spatial_shape: Sequence[int],
        *,
        dtype: torch.dtype | None = None,
        output_padding: Sequence[int] | None = None,
    ) -> Tensor:
        """Compute what coordinates and bias add to the output of any input of that size.

        It is the same for every image: `forward` is the convolution of the input with `weight`
        and no bias, plus this. With gradients disabled the result of the last call is kept while
        size, type and the values of the weights stay the same: do not write into it.

        Args:
            spatial_shape: The input's spatial shape, in pixels.
            dtype: Type of the result, by default the weights'. It is computed in the weights'
                type, under autocast too.
            output_padding: Extra pixels of a transposed convolution's output, by default the
                layer's own.

        Returns:
            Shape (1, out_channels, *output's spatial shape), on the weights' device.
        """
        shape = tuple(spatial_shape)
        padding = tuple(self.output_padding if output_padding is None else output_padding)
        dtype = dtype or self.coord_weight.dtype
        if not self._may_keep_map():
            return self._make_map(shape, padding).to(dtype)
        key, weights = (shape, padding, dtype), (self.coord_weight, self.bias)
        if self._kept is None or not self._kept.fits(key, weights):
            self._kept = KeptMap(key, weights, self._make_map(shape, padding).to(dtype))
        return self._kept.value

    def _may_keep_map(self) -> bool:
        """Keep maps only where comparing the weights' values is cheap and possible.

        On a GPU the comparison would make the host wait, which costs more than the map.
        """
        return (
            not torch.is_grad_enabled()
            and self.coord_weight.device.type == "cpu"
            and type(self.coord_weight) is nn.Parameter
            and (self.bias is None or type(self.bias) is nn.Parameter)
            and not tracing()
        )

    def _make_map(self, spatial_shape: tuple[int, ...], output_padding: tuple[int, ...]) -> Tensor:
        weight = self.coord_weight
        grid = self._grid.get(spatial_shape, weight.dtype, weight.device)
        with _without_autocast(weight.device.type):
            return self._convolve(grid, weight, self.bias, output_padding)

    def _convolve(
        self, input: Tensor, weight: Tensor, bias: Tensor | None, output_padding: Sequence[int]
    ) -> Tensor:
        """Convolve as torch's layer does, with other weights."""
        del output_padding
        return self._conv_forward(input, weight, bias)

    def _add_share(self, output: Tensor, shape: Sequence[int], padding: Sequence[int]) -> Tensor:
        """Add coordinates and bias to the convolution of the input's own channels."""
        share = self.coordinate_map(shape, dtype=output.dtype, output_padding=padding)
        return add_to_each(output, share)

    def forward(self, input: Tensor) -> Tensor:
        """Convolve the input together with its pixels' coordinates.

        Args:
            input: Shape (N, in_channels, *spatial) or (in_channels, *spatial).

        Returns:
            The shape and type that torch's layer returns.
        """
        output = self._convolve(input, self.weight, None, ())
        return self._add_share(output, input.shape[-len(self.kernel_size) :], ())

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        self._grid, self._kept = CoordinateGrid(self.radius, self.shuffle_seed), None
        return super()._apply(fn, recurse)  # type: ignore[no-untyped-call]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_kept": None}

    def extra_repr(self) -> str:
        """Show the options in `repr`."""
        options = f", radius={self.radius}, shuffle_seed={self.shuffle_seed}"
        return f"{super().extra_repr()}{options}"  # type: ignore[no-untyped-call]


def _without_autocast(device: str) -> AbstractContextManager[None]:
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        return torch.autocast(device, enabled=False)
    return nullcontext()


class CoordConv1d(_CoordConvNd, nn.Conv1d):
    """`torch.nn.Conv1d` with a coordinate channel; see `CoordConv2d`."""


class CoordConv2d(_CoordConvNd, nn.Conv2d):
    """`torch.nn.Conv2d` over the input's own channels and each pixel's x and y.

    Takes what `torch.nn.Conv2d` takes, except `groups`. `weight` and `bias` have its shapes and,
    from the same seed, its values; `coord_weight`, of shape (out_channels, 2 or 3, *kernel_size),
    holds the weights of x, y and the radius.

    Args:
        radius: Whether the distance from the centre is one more coordinate.
        shuffle_seed: If given, the coordinates' pixels are permuted once by this seed: a control
            that has the same parameters and channel statistics but no geometry.

    Raises:
        ValueError: If `groups` is not 1.
    """


class CoordConv3d(_CoordConvNd, nn.Conv3d):
    """`torch.nn.Conv3d` with x, y and z; see `CoordConv2d`."""


class CoordConvTranspose2d(_CoordConvNd, nn.ConvTranspose2d):
    """`torch.nn.ConvTranspose2d` with x and y of its input's pixels; see `CoordConv2d`.

    `coord_weight` has the shape (2 or 3, out_channels, *kernel_size), as torch lays out the
    weights of transposed convolutions.
    """

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Convolve the input together with its pixels' coordinates.

        Args:
            input: Shape (N, in_channels, H, W) or (in_channels, H, W).
            output_size: The output's H and W, where the stride leaves a choice.
        """
        settings: Any = (self.stride, self.padding, self.kernel_size, 2, self.dilation)
        padding = self._output_padding(input, output_size, *settings)
        output = self._convolve(input, self.weight, None, padding)
        return self._add_share(output, input.shape[-2:], padding)

    def _convolve(
        self, input: Tensor, weight: Tensor, bias: Tensor | None, output_padding: Sequence[int]
    ) -> Tensor:
        settings: Any = (self.stride, self.padding, tuple(output_padding), 1, self.dilation)
        return F.conv_transpose2d(input, weight, bias, *settings)
