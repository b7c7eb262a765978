"""Convolutions that know where they look: CoordConv (Liu et al. 2018, arXiv 1807.03247).

Extra input channels hold each pixel's own coordinates: x along the width, then y along the height,
then z along the depth, each linear from -1 at the first pixel to +1 at the last, then optionally
r, their Euclidean distance from the centre. An axis of one pixel gets 0.

A convolution is linear in its input channels, so the coordinates' share of the output is one map
for the whole batch. The layers here compute that map once and add it, together with the bias, to
the convolution of the input's own channels: the same function as a convolution over the
concatenation, borders included, at nearly the cost of a plain convolution.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.common_types import _size_1_t, _size_2_t, _size_3_t
from torch.types import Device

from coordconv_rl.layers.base import CoordConvNd


class CoordConv1d(CoordConvNd, nn.Conv1d):
    """`torch.nn.Conv1d` with a coordinate channel; see `CoordConv2d`."""

    def __init__(  # noqa: PLR0913, PLR0917 - torch's own arguments
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: _size_1_t,
        stride: _size_1_t = 1,
        padding: _size_1_t | str = 0,
        dilation: _size_1_t = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Device = None,
        dtype: torch.dtype | None = None,
        *,
        radius: bool = False,
        shuffle_seed: int | None = None,
    ) -> None:
        """Take torch's arguments, in torch's order and with its defaults, and two more."""
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias,
            padding_mode, device, dtype, radius=radius, shuffle_seed=shuffle_seed,
        )  # fmt: skip


class CoordConv2d(CoordConvNd, nn.Conv2d):
    """`torch.nn.Conv2d` over the input's own channels and each pixel's x and y.

    Takes what `torch.nn.Conv2d` takes, except `groups`. `weight` and `bias` have its shapes and,
    from the same seed, its values; `coord_weight`, of shape (out_channels, 2 or 3, *kernel_size),
    holds the weights of x, y and the radius.

    TorchScript compiles it without `shuffle_seed`; `torch.jit.trace`, `torch.compile`,
    `torch.export`, ONNX and `torch.fx` take it as it is, with `shuffle_seed` for images of one
    size, as the permutation is part of the graph then. Batch normalisation cannot be folded into
    it (`fuse_conv_bn_eval` is refused).

    Args:
        in_channels: Channels of the input, without the coordinates; it and all arguments below
            down to `dtype` as in `torch.nn.Conv2d`.
        out_channels: Channels of the output.
        kernel_size: Pixels of the kernel.
        stride: Pixels between the kernel's places.
        padding: Pixels added to each side, "same" or "valid".
        dilation: Pixels between the kernel's values.
        groups: 1.
        bias: Whether there is a bias.
        padding_mode: "zeros", "reflect", "replicate" or "circular"; coordinates are padded alike.
        device: Where the weights live.
        dtype: The weights' type.
        radius: Whether the distance from the centre is one more coordinate.
        shuffle_seed: If given, the coordinates' pixels are permuted once by this seed: a control
            that has the same parameters and channel statistics but no geometry.

    Raises:
        InputError: If `groups` is not 1 (a `ValueError`).
    """

    def __init__(  # noqa: PLR0913, PLR0917 - torch's own arguments
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: _size_2_t,
        stride: _size_2_t = 1,
        padding: _size_2_t | str = 0,
        dilation: _size_2_t = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Device = None,
        dtype: torch.dtype | None = None,
        *,
        radius: bool = False,
        shuffle_seed: int | None = None,
    ) -> None:
        """Take torch's arguments, in torch's order and with its defaults, and two more."""
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias,
            padding_mode, device, dtype, radius=radius, shuffle_seed=shuffle_seed,
        )  # fmt: skip


class CoordConv3d(CoordConvNd, nn.Conv3d):
    """`torch.nn.Conv3d` with x, y and z; see `CoordConv2d`."""

    def __init__(  # noqa: PLR0913, PLR0917 - torch's own arguments
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: _size_3_t,
        stride: _size_3_t = 1,
        padding: _size_3_t | str = 0,
        dilation: _size_3_t = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Device = None,
        dtype: torch.dtype | None = None,
        *,
        radius: bool = False,
        shuffle_seed: int | None = None,
    ) -> None:
        """Take torch's arguments, in torch's order and with its defaults, and two more."""
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias,
            padding_mode, device, dtype, radius=radius, shuffle_seed=shuffle_seed,
        )  # fmt: skip


class CoordConvTranspose2d(CoordConvNd, nn.ConvTranspose2d):
    """`torch.nn.ConvTranspose2d` with x and y of its input's pixels; see `CoordConv2d`.

    `coord_weight` has the shape (2 or 3, out_channels, *kernel_size), as torch lays out the
    weights of transposed convolutions.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - torch's own arguments
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: _size_2_t,
        stride: _size_2_t = 1,
        padding: _size_2_t = 0,
        output_padding: _size_2_t = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: _size_2_t = 1,
        padding_mode: str = "zeros",
        device: Device = None,
        dtype: torch.dtype | None = None,
        *,
        radius: bool = False,
        shuffle_seed: int | None = None,
    ) -> None:
        """Take torch's arguments, in torch's order and with its defaults, and two more."""
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, output_padding, groups, bias,
            dilation, padding_mode, device, dtype, radius=radius, shuffle_seed=shuffle_seed,
        )  # fmt: skip

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Convolve the input together with its pixels' coordinates.

        Args:
            input: Shape (N, in_channels, H, W) or (in_channels, H, W).
            output_size: The output's H and W, where the stride leaves a choice.
        """
        if torch.jit.is_scripting():  # type: ignore[attr-defined]
            return self._concatenated(input, self._padding_of(input, output_size))
        return self._forward(input, output_size)

    def _padding_of(self, input: Tensor, output_size: list[int] | None = None) -> list[int]:
        return self._output_padding(
            input,
            output_size,
            self.stride,  # type: ignore[arg-type]
            self.padding,  # type: ignore[arg-type]
            self.kernel_size,  # type: ignore[arg-type]
            2,
            self.dilation,  # type: ignore[arg-type]
        )

    def _convolve(
        self, input: Tensor, weight: Tensor, bias: Tensor | None, output_padding: list[int]
    ) -> Tensor:
        return F.conv_transpose2d(
            input,
            weight,
            bias,
            self.stride,
            self.padding,  # type: ignore[arg-type]
            output_padding,
            1,
            self.dilation,
        )
