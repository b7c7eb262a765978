"""The Nature network on uint8 frames: one pass from bytes to the network's precision.

The division by 255 is folded into the first layer's weights, so frames are only converted. What
coordinates and bias add to a convolution is one map for the whole batch, added like a bias.
Training and acting are the same two steps: `prepare` the weights, then compute `features`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeGuard

import torch
from torch import Tensor, nn

from coordconv_rl.fast import packed_linear as onednn
from coordconv_rl.fast import patch_convolution as distinct
from coordconv_rl.fast.fused import conv_relu, linear_relu
from coordconv_rl.fast.patch_index import Minibatch
from coordconv_rl.layers import CoordConv2d

if TYPE_CHECKING:
    from coordconv_rl.sb3 import CoordConvExtractor


@dataclass(frozen=True)
class Layer:
    """One convolution, ready to compute.

    Attributes:
        weight: Shape (K, C, kh, kw), the network's precision.
        share: What is added to its output: biases (K,), or a map (1, K, H', W').
        stride: The convolution's stride in pixels.
    """

    weight: Tensor
    share: Tensor
    stride: int


@dataclass(frozen=True)
class Network:
    """A Nature network's weights in its precision; gradients flow through to the float32 ones.

    Attributes:
        layers: The three convolutions.
        weight: The linear layer's weight, (features, inputs).
        bias: The linear layer's bias, (features,).
        packed: The weight once more, in the order that is fastest for few frames, if acting.
    """

    layers: tuple[Layer, ...]
    weight: Tensor
    bias: Tensor
    packed: Tensor | None = None


def is_fast(extractor: nn.Module) -> TypeGuard[CoordConvExtractor]:
    """Tell whether this module computes what the extractor does, given bytes."""
    from coordconv_rl.sb3 import CoordConvExtractor

    return type(extractor) is CoordConvExtractor and (extractor.backbone, extractor.head) == (
        "nature",
        "flatten",
    )


def is_bytes(obs: Tensor | dict[str, Tensor]) -> TypeGuard[Tensor]:
    """Tell whether observations are one tensor of bytes, (N, C, H, W)."""
    return isinstance(obs, Tensor) and obs.dtype == torch.uint8


def coordinate_weights(extractor: nn.Module) -> dict[str, nn.Parameter]:
    """Return the weights of coordinates by name."""
    return {k: p for k, p in extractor.named_parameters() if k.endswith("coord_weight")}


def may_split(extractor: nn.Module) -> TypeGuard[CoordConvExtractor]:
    """Tell whether only the first convolution has coordinates, as `split_features` needs."""
    return is_fast(extractor) and not any(
        isinstance(conv, CoordConv2d) for conv in _convolutions(extractor)[1:]
    )


def prepare(
    extractor: CoordConvExtractor,
    image: torch.Size,
    dtype: torch.dtype,
    *,
    scale: float = 1 / 255,
    blind: bool = False,
    acting: bool = False,
) -> Network:
    """Bring an extractor's weights into the network's precision and memory layout.

    Args:
        extractor: A Nature extractor.
        image: Height and width of the frames, pixels.
        dtype: Type of the convolutions' and the linear layer's arithmetic.
        scale: What frames are multiplied by.
        blind: Whether to leave out what coordinates add.
        acting: Whether it is for few frames and no gradients; see `_convert`.
    """
    layers: list[Layer] = []
    height, width = image
    for conv in _convolutions(extractor):
        weight = conv.weight if layers else conv.weight * scale
        share = conv.bias
        if isinstance(conv, CoordConv2d) and not blind:
            share = conv.coordinate_map((height, width))
        assert share is not None
        layout = torch.channels_last if layers or not acting else torch.contiguous_format
        weight = weight.to(dtype, memory_format=layout)
        layers.append(Layer(weight, share.to(dtype), conv.stride[0]))
        height, width = (
            (size - kernel) // conv.stride[0] + 1
            for size, kernel in zip((height, width), conv.kernel_size, strict=True)
        )
    linear = _linear(extractor)
    weight = linear.weight.to(dtype)
    packs = acting and not torch.is_grad_enabled() and onednn.serves(weight)
    packed = onednn.pack(weight) if packs else None
    return Network(tuple(layers), weight, linear.bias.to(dtype), packed)


def outputs(
    network: Network, frames: Tensor, known: Sequence[Tensor] | None = None
) -> tuple[Tensor, ...]:
    """Compute the outputs of the convolutions and of the linear layer.

    Args:
        network: What `prepare` returned.
        frames: Shape (N, C, H, W), uint8; channels-last memory is fastest.
        known: What this returned before for the same weights and frames: it is not computed
            again, only made ready for the backward pass.

    Returns:
        Three of shape (N, K, H', W') and the features, (N, features_dim), not below zero; all in
        the network's precision.
    """
    return _upper(network, network.layers, _convert(network, frames), known)


def features(
    network: Network,
    frames: Tensor,
    known: Sequence[Tensor] | None = None,
    repeats: Minibatch | None = None,
) -> Tensor:
    """Return the last of `outputs`, the features, in float32.

    Where `repeats` tells what the frames have in common, only their number matters.
    """
    if repeats is None:
        return outputs(network, frames, known)[-1].float()
    count = len(repeats.layers)
    weights = [layer.weight for layer in network.layers[:count]]
    shares = [layer.share for layer in network.layers[:count]]
    x = distinct.convolutions(repeats, weights, shares, known and known[:count])
    return _upper(network, network.layers[count:], x, known and known[count:])[-1].float()


def split_features(network: Network, blind: Network, frames: Tensor) -> tuple[Tensor, Tensor]:
    """Compute features with and without coordinates in the first convolution.

    The convolution of the frames is computed once; only what is added to it differs.

    Args:
        network: The network with coordinates.
        blind: The same network without them.
        frames: Shape (N, C, H, W), uint8.

    Returns:
        The features with coordinates and those without, as in `features`.
    """
    first, *upper = network.layers
    x = torch.conv2d(_convert(network, frames), first.weight, stride=first.stride)
    x = x.contiguous(memory_format=torch.channels_last)
    sighted, bare = x + first.share, x + blind.layers[0].share.view(1, -1, 1, 1)
    both = _upper(network, upper, torch.cat([sighted, bare]).relu_())[-1].float()
    actor, critic = both.chunk(2)
    return actor, critic


def large_weight(extractor: CoordConvExtractor) -> Tensor:
    """Return the one weight that is larger than all the others together."""
    return _linear(extractor).weight


def _convolutions(extractor: CoordConvExtractor) -> list[nn.Conv2d]:
    return [module for module in extractor.cnn if isinstance(module, nn.Conv2d)]


def _linear(extractor: CoordConvExtractor) -> nn.Linear:
    linear = extractor.linear[0]
    assert isinstance(linear, nn.Linear)
    return linear


def _convert(network: Network, frames: Tensor) -> Tensor:
    """Bring bytes into the network's precision; channels last for training."""
    dtype = network.weight.dtype
    if frames.is_contiguous(memory_format=torch.channels_last):
        return frames.to(dtype)
    if not torch.is_grad_enabled():
        return frames.to(dtype)  # for few images the first convolution orders them faster itself
    # Three times as fast on a processor as one conversion of type and layout together.
    return torch.stack(frames.unbind(1), dim=-1).to(dtype).movedim(-1, 1)


def _upper(
    network: Network, layers: Sequence[Layer], x: Tensor, known: Sequence[Tensor] | None = None
) -> tuple[Tensor, ...]:
    done = known or (None,) * (len(layers) + 1)
    results: list[Tensor] = []
    for layer, y in zip(layers, done, strict=False):
        x = conv_relu(x, layer.weight, layer.share, layer.stride, y)
        results.append(x)
    rows = x.flatten(1)
    return *results, linear_relu(rows, network.weight, network.bias, done[-1], network.packed)
