"""The Nature network on uint8 frames: one pass from bytes to the network's precision.

The division by 255 is folded into the first layer's weights, so frames are only converted. What
coordinates and bias add to a convolution is one map for the whole batch, added like a bias.
"""

from __future__ import annotations

from typing import TypeGuard

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from coordconv_rl.extractors import CoordConvExtractor
from coordconv_rl.layers import CoordConv2d


def is_fast(extractor: nn.Module) -> TypeGuard[CoordConvExtractor]:
    """Tell whether this module computes what the extractor does, given bytes."""
    return type(extractor) is CoordConvExtractor and extractor.backbone == "nature"


def may_split(extractor: nn.Module) -> TypeGuard[CoordConvExtractor]:
    """Tell whether only the first convolution has coordinates, as `split_features` needs."""
    return is_fast(extractor) and not any(
        isinstance(conv, CoordConv2d) for conv in layers_of(extractor)[1:]
    )


def layers_of(extractor: CoordConvExtractor) -> list[nn.Conv2d]:
    """Return the three convolutions."""
    return [module for module in extractor.cnn if isinstance(module, nn.Conv2d)]


def nature_features(
    extractor: CoordConvExtractor,
    frames: Tensor,
    dtype: torch.dtype,
    *,
    scale: float = 1 / 255,
    blind: bool = False,
) -> Tensor:
    """Compute the features of frames.

    Args:
        extractor: A Nature extractor.
        frames: Shape (N, C, H, W), uint8.
        dtype: Type of the convolutions' and the linear layer's arithmetic.
        scale: What frames are multiplied by.
        blind: Whether to leave out what coordinates add.

    Returns:
        Shape (N, features_dim), float32, not below zero.
    """
    first, *upper = layers_of(extractor)
    x = frames.to(dtype, memory_format=torch.channels_last)
    share = offset(first, frames, dtype, blind=blind)
    x = F.relu(first_convolution(first, x, scale) + share)
    return upper_layers(extractor, upper, x, blind=blind)


def split_features(
    extractor: CoordConvExtractor, frames: Tensor, dtype: torch.dtype, *, scale: float = 1 / 255
) -> tuple[Tensor, Tensor]:
    """Compute features with and without coordinates in the first convolution.

    The convolution of the frames is computed once; only what is added to it differs.

    Returns:
        The features with coordinates and those without, as in `nature_features`.
    """
    first, *upper = layers_of(extractor)
    shared = first_convolution(first, frames.to(dtype, memory_format=torch.channels_last), scale)
    seeing, blind = (offset(first, frames, dtype, blind=blind) for blind in (False, True))
    x = F.relu(torch.cat([shared + seeing, shared + blind]))
    actor, critic = upper_layers(extractor, upper, x).chunk(2)
    return actor, critic


def first_convolution(conv: nn.Conv2d, x: Tensor, scale: float) -> Tensor:
    """Convolve unscaled frames with scaled weights; no bias."""
    weight = (conv.weight * scale).to(x.dtype, memory_format=torch.channels_last)
    return F.conv2d(x, weight, None, conv.stride)


def offset(conv: nn.Conv2d, x: Tensor, dtype: torch.dtype, *, blind: bool = False) -> Tensor:
    """Return what bias and coordinates add to the convolution of x, broadcasting over it."""
    if isinstance(conv, CoordConv2d) and not blind:
        made = conv.coordinate_map(x.shape[2:], dtype=dtype)
        return made.contiguous(memory_format=torch.channels_last)
    assert conv.bias is not None
    return conv.bias.to(dtype).view(1, -1, 1, 1)


def upper_layers(
    extractor: CoordConvExtractor, upper: list[nn.Conv2d], x: Tensor, *, blind: bool = False
) -> Tensor:
    """Compute everything above the first convolution's ReLU."""
    for conv in upper:
        weight = conv.weight.to(x.dtype, memory_format=torch.channels_last)
        share = offset(conv, x, x.dtype, blind=blind)
        x = F.relu(F.conv2d(x, weight, None, conv.stride) + share)
    linear = extractor.linear[0]
    assert isinstance(linear, nn.Linear)
    x = F.linear(x.flatten(1), linear.weight.to(x.dtype), linear.bias.to(x.dtype))
    return F.relu(x).float()
