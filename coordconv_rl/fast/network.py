"""The Nature network on uint8 frames: one pass from bytes to the network's precision.

The division by 255 is folded into the first layer's weights, so frames are only converted. What
coordinates and bias add to a convolution is one map for the whole batch, added like a bias.
Training and acting are the same two steps: `prepare` the weights, then compute `features`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from coordconv_rl.fast.fused import conv_relu, linear_relu
from coordconv_rl.fast.gate import KnownLayers
from coordconv_rl.fast.packed_linear import is_packable, pack
from coordconv_rl.fast.patch_convolution import convolve_patches
from coordconv_rl.fast.patch_index import PatchBatch
from coordconv_rl.layers import CoordConv2d


@dataclass(frozen=True)
class Computation:
    """How a network computes, beside its weights.

    Attributes:
        image: Height and width of the frames, pixels.
        dtype: Type of the convolutions' and the linear layer's arithmetic.
        scale: What frames are multiplied by.
        is_blind: Whether to leave out what coordinates add.
    """

    image: torch.Size
    dtype: torch.dtype
    scale: float = 1 / 255
    is_blind: bool = False


@dataclass(frozen=True)
class PreparedConvolution:
    """One convolution, ready to compute.

    Attributes:
        weight: Shape (K, C, kh, kw), the network's precision.
        share: What is added to its output: biases (K,), or a map (1, K, H', W'); see `conv_relu`.
        stride: The convolution's stride in pixels.
    """

    weight: Tensor
    share: Tensor
    stride: int


@dataclass(frozen=True, eq=False)
class Network:
    """A Nature network's weights in its precision; gradients flow through to the float32 ones.

    Attributes:
        convolutions: The three convolutions.
        weight: The linear layer's weight, (features, inputs).
        bias: The linear layer's bias, (features,).
        is_pooled: Whether the linear layer takes the third output's average over positions.
        packed: The weight once more, in the order that is fastest for few frames, if acting.
    """

    convolutions: tuple[PreparedConvolution, ...]
    weight: Tensor
    bias: Tensor
    is_pooled: bool
    packed: Tensor | None = None


def prepare(layers: KnownLayers, computation: Computation) -> Network:
    """Bring weights into the network's precision and memory layout.

    Args:
        layers: What the gate found.
        computation: How to compute.
    """
    prepared: list[PreparedConvolution] = []
    height, width = computation.image
    for conv in layers.convolutions:
        weight = _with_plain_gradient(conv.weight)
        weight = weight if prepared else weight * computation.scale
        share = conv.bias
        if isinstance(conv, CoordConv2d) and not computation.is_blind:
            share = conv.coordinate_map((height, width))
        assert share is not None
        weight = weight.to(computation.dtype, memory_format=torch.channels_last)
        share = share.to(computation.dtype)
        prepared.append(PreparedConvolution(weight, share, conv.stride[0]))
        height, width = (
            (size - kernel) // conv.stride[0] + 1
            for size, kernel in zip((height, width), conv.kernel_size, strict=True)
        )
    weight = layers.linear.weight.to(computation.dtype)
    bias = layers.linear.bias.to(computation.dtype)
    return Network(tuple(prepared), weight, bias, layers.is_pooled)


def _with_plain_gradient(weight: Tensor) -> Tensor:
    """Return the same weight, whose gradient lies in memory as the weight does.

    That of a weight in channels-last memory lies so, too: `torch.autograd.grad` and hooks of the
    parameter would meet gradients that `view` does not take.
    """
    return weight.view(-1).view(weight.shape) if weight.is_contiguous() else weight


@torch.no_grad()
def for_acting(network: Network, *, packing: bool = True) -> Network:
    """Return the same network for few frames and no gradients; see `_convert`.

    Args:
        network: What `prepare` returned.
        packing: Whether acting lasts long enough that a packed linear weight pays: packing takes
            as long as some ten passes gain, and A2C acts five times with the same weights.
    """
    first, *others = network.convolutions
    first = replace(first, weight=first.weight.contiguous())
    packed = pack(network.weight) if packing and is_packable(network.weight) else None
    return replace(network, convolutions=(first, *others), packed=packed)


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
    return upper(network, 0, _convert(network, frames), known)


def features(network: Network, frames: Tensor, known: Sequence[Tensor] | None = None) -> Tensor:
    """Return the last of `outputs`, the features, in float32."""
    return outputs(network, frames, known)[-1].float()


def patch_features(
    network: Network,
    patches: PatchBatch,
    frames: Callable[[], Tensor],
    known: Sequence[Tensor] | None = None,
) -> Tensor:
    """Return what `features` does, with patches that come again computed once.

    Args:
        network: What `prepare` returned.
        patches: The distinct patches of the frames.
        frames: Gathers the frames, (N, C, H, W) uint8; asked only for second derivatives.
        known: As in `outputs`.
    """
    count = len(patches.layers)
    weights = [layer.weight for layer in network.convolutions[:count]]
    shares = [layer.share for layer in network.convolutions[:count]]
    x = convolve_patches(patches, weights, shares, frames, known and known[:count])
    return upper(network, count, x, known and known[count:])[-1].float()


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
    first = network.convolutions[0]
    x = torch.conv2d(_convert(network, frames), first.weight, stride=first.stride)
    x = x.contiguous(memory_format=torch.channels_last)
    sighted, bare = x + first.share, x + blind.convolutions[0].share.view(1, -1, 1, 1)
    both = upper(network, 1, torch.cat([sighted, bare]).relu_())[-1].float()
    actor, critic = both.chunk(2)
    return actor, critic


def _convert(network: Network, frames: Tensor) -> Tensor:
    """Bring bytes into the network's precision; channels last for training."""
    dtype = network.weight.dtype
    if frames.is_contiguous(memory_format=torch.channels_last):
        return frames.to(dtype)
    if not torch.is_grad_enabled():
        return frames.to(dtype)  # for few images the first convolution orders them faster itself
    # Three times as fast on a processor as one conversion of type and layout together.
    return torch.stack(frames.unbind(1), dim=-1).to(dtype).movedim(-1, 1)


def upper(
    network: Network, start: int, x: Tensor, known: Sequence[Tensor] | None = None
) -> tuple[Tensor, ...]:
    """Compute the convolutions from `start` on and the linear layer; see `outputs`."""
    layers = network.convolutions[start:]
    done = known or (None,) * (len(layers) + 1)
    results: list[Tensor] = []
    for layer, y in zip(layers, done, strict=False):
        x = conv_relu(x, layer.weight, layer.share, layer.stride, y)
        results.append(x)
    rows = x.mean((2, 3)) if network.is_pooled else x.flatten(1)
    return *results, linear_relu(rows, network.weight, network.bias, done[-1], network.packed)
