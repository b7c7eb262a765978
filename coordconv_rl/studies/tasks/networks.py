"""Blocks that several studies share, of the sizes in the authors' repository.

That is github.com/uber-research/CoordConv, model_builders.py.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from coordconv_rl.layers import CoordConv2d
from coordconv_rl.studies.tasks.data import CANVAS
from coordconv_rl.studies.tasks.study import ModelName


class Spread(nn.Module):
    """Repeats a vector at every pixel of the canvas: (n, c) to (n, c, 64, 64)."""

    def forward(self, values: Tensor) -> Tensor:
        """Return a view of the values; nothing is copied."""
        return values[:, :, None, None].expand(-1, -1, CANVAS, CANVAS)


def first_convolution(
    model: ModelName,
    in_channels: int,
    out_channels: int,
    kernel: int,
    *,
    seed: int,
    stride: int = 1,
    padding: int | None = None,
) -> nn.Conv2d:
    """Make the layer in which the models differ: as a rule, the first convolution.

    Args:
        model: "coordconv" sees the coordinates, "shuffled" sees them at permuted pixels,
            "convolution" does not see them.
        in_channels: The input's own channels.
        out_channels: The layer's channels.
        kernel: Odd size of the kernel.
        seed: Fixes the permutation of "shuffled".
        stride: Pixels between outputs.
        padding: Zeros around the input; none for as many as keep the canvas' size.
    """
    padding = kernel // 2 if padding is None else padding
    if model == "convolution":
        return nn.Conv2d(in_channels, out_channels, kernel, stride, padding)
    shuffle_seed = seed if model == "shuffled" else None
    return CoordConv2d(
        in_channels, out_channels, kernel, stride, padding, shuffle_seed=shuffle_seed
    )


def pixel_network(model: ModelName, width: int, seed: int) -> nn.Sequential:
    """Build the net of 1x1 convolutions from a position to one logit a pixel: 7,553 parameters.

    The position is spread over the canvas, then five layers of 32, 32, 64, 64 and 1 channels (the
    authors' CoordConvPainter), the first with coordinates.
    """
    sizes = [32 * width, 32 * width, 64 * width, 64 * width, 1]
    layers: list[nn.Module] = [Spread(), first_convolution(model, 2, sizes[0], 1, seed=seed)]
    for before, after in itertools.pairwise(sizes):
        layers += [nn.ReLU(inplace=True), nn.Conv2d(before, after, 1)]
    return nn.Sequential(*layers)


def deconvolution_network(width: int, kernel: int) -> nn.Sequential:
    """Build the baseline from a position to one logit a pixel: six transposed convolutions.

    Strides of 2 take 1x1 to 64x64; 64, 64, 64, 32, 32 and 1 channels, the first five times
    `width`, each but the last followed by batch normalisation and ReLU (the authors'
    DeconvPainter; their momentum of 0.9 is torch's 0.1).

    Args:
        width: Factor on the channels, 1 to 3 in the paper's grid.
        kernel: Pixels along a kernel's side, 2 to 4 in the paper's grid.
    """
    sizes = [2, *(width * c for c in (64, 64, 64, 32, 32)), 1]
    layers: list[nn.Module] = [nn.Unflatten(1, (2, 1, 1))]
    for before, after in itertools.pairwise(sizes):
        padding, extra = (kernel - 1) // 2, kernel % 2  # output = 2 x input for kernels of 2, 3, 4
        layers += [
            nn.ConvTranspose2d(before, after, kernel, 2, padding, output_padding=extra),
            nn.BatchNorm2d(after),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers[:-2])


class FreeOfPenalty(nn.Sequential):
    """Layers whose kernels the l2 penalty leaves alone."""


def penalised_kernels(network: nn.Module) -> list[nn.Parameter]:
    """List the kernels that the l2 penalty is on: all but those in `FreeOfPenalty`."""
    free = {
        id(weight)
        for part in network.modules()
        if isinstance(part, FreeOfPenalty)
        for weight in part.parameters()
    }
    return [w for w in network.parameters() if w.dim() > 1 and id(w) not in free]


@torch.no_grad()
def initialise(network: nn.Module, seed: int) -> nn.Module:
    """Draw He-normal kernels and zero biases, as the authors do; coordinate weights belong to them.

    The variance is 2 over a kernel's inputs in a network of ReLUs, 1 in one without: either way
    the layers neither blow the signal up nor damp it.

    Args:
        network: Any of the networks of the studies; changed in place.
        seed: Fixes all draws.

    Returns:
        The same network.
    """
    generator = torch.Generator().manual_seed(seed)
    gain = 2 if any(isinstance(layer, nn.ReLU) for layer in network.modules()) else 1
    for layer in network.modules():
        if not isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            continue
        kernels = [layer.weight]
        if isinstance(layer, CoordConv2d):
            kernels.append(layer.coord_weight)
        inputs = sum(_inputs(layer, kernel) for kernel in kernels)
        for kernel in kernels:
            kernel.normal_(0.0, (gain / inputs) ** 0.5, generator=generator)
        if layer.bias is not None:
            layer.bias.zero_()
    return network


def _inputs(layer: nn.Module, kernel: Tensor) -> int:
    """Count the inputs of one output: channels times pixels of the kernel."""
    channels = kernel.shape[0] if isinstance(layer, nn.ConvTranspose2d) else kernel.shape[1]
    return channels * kernel[0, 0].numel()
