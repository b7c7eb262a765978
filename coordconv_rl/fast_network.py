"""The Nature network on uint8 frames: one pass from bytes to the network's precision.

The division by 255 is folded into the first layer's weights, so frames are only converted. What
coordinates and bias add to a convolution is one map for the whole batch, added like a bias.
Training and acting are the same two steps: `prepare` the weights, then compute `features`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeGuard

import torch
from torch import Tensor, nn

from coordconv_rl.extractors import CoordConvExtractor
from coordconv_rl.fused import conv_relu, linear_relu
from coordconv_rl.layers import CoordConv2d


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
    """

    layers: tuple[Layer, ...]
    weight: Tensor
    bias: Tensor


def is_fast(extractor: nn.Module) -> TypeGuard[CoordConvExtractor]:
    """Tell whether this module computes what the extractor does, given bytes."""
    return type(extractor) is CoordConvExtractor and extractor.backbone == "nature"


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
) -> Network:
    """Bring an extractor's weights into the network's precision and memory layout.

    Args:
        extractor: A Nature extractor.
        image: Height and width of the frames, pixels.
        dtype: Type of the convolutions' and the linear layer's arithmetic.
        scale: What frames are multiplied by.
        blind: Whether to leave out what coordinates add.
    """
    layers: list[Layer] = []
    height, width = image
    for conv in _convolutions(extractor):
        weight = conv.weight if layers else conv.weight * scale
        share = conv.bias
        if isinstance(conv, CoordConv2d) and not blind:
            share = conv.coordinate_map((height, width))
        assert share is not None
        ordered = bool(layers) or torch.is_grad_enabled()  # see _convert
        layout = torch.channels_last if ordered else torch.contiguous_format
        weight = weight.to(dtype, memory_format=layout)
        layers.append(Layer(weight, share.to(dtype), conv.stride[0]))
        height, width = (
            (size - kernel) // conv.stride[0] + 1
            for size, kernel in zip((height, width), conv.kernel_size, strict=True)
        )
    linear = _linear(extractor)
    return Network(tuple(layers), linear.weight.to(dtype), linear.bias.to(dtype))


class KeptNetworks:
    """Prepared networks of one rollout: acting needs the same weights hundreds of times.

    `clear` must be called where training begins or ends. In between, weights that changed are
    noticed: all but the linear layer's, the one large weight, are compared by value, because
    neither torch's fused optimizers nor writes through `.data` count as new versions.
    """

    def __init__(self) -> None:
        self._kept: dict[bool, tuple[object, list[Tensor], Network]] = {}

    def clear(self) -> None:
        """Forget all networks."""
        self._kept.clear()

    def get(
        self,
        extractor: CoordConvExtractor,
        image: torch.Size,
        dtype: torch.dtype,
        *,
        scale: float = 1 / 255,
        blind: bool = False,
    ) -> Network:
        """Return what `prepare` would, made anew only if something is not as it was."""
        large = _linear(extractor).weight
        small = [p for p in extractor.parameters() if p is not large]
        key = (id(extractor), large.data_ptr(), large._version, large.device, image, dtype, scale)
        kept = self._kept.get(blind)
        if kept is None or kept[0] != key or not all(map(torch.equal, small, kept[1])):
            network = prepare(extractor, image, dtype, scale=scale, blind=blind)
            kept = self._kept[blind] = (key, [p.clone() for p in small], network)
        return kept[2]


def features(network: Network, frames: Tensor) -> Tensor:
    """Compute the features of frames.

    Args:
        network: What `prepare` returned.
        frames: Shape (N, C, H, W), uint8; channels-last memory is fastest.

    Returns:
        Shape (N, features_dim), float32, not below zero.
    """
    return _upper(network, network.layers, _convert(network, frames))


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
    both = _upper(network, upper, torch.cat([sighted, bare]).relu_())
    actor, critic = both.chunk(2)
    return actor, critic


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


def _upper(network: Network, layers: Sequence[Layer], x: Tensor) -> Tensor:
    for layer in layers:
        x = conv_relu(x, layer.weight, layer.share, layer.stride)
    return linear_relu(x.flatten(1), network.weight, network.bias).float()
