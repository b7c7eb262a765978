"""Generators and discriminators of the `generation` study, after the authors' CoordConvGAN.

All sizes are in units of `base` channels: 64 in the authors' repository (model_builders.py).
"""

from __future__ import annotations

import itertools
import math

import torch.nn.functional as F
from torch import Tensor, nn

from coordconv_rl.layers import CoordConv2d
from coordconv_rl.studies.tasks.networks import first_convolution
from coordconv_rl.studies.tasks.study import ModelName

NOISE = 256  # numbers that an image is made from
LEAK = 0.2  # the authors' lrelu
FIRST_SIDE = 4  # pixels along a side of DCGAN's first map


class Adversaries(nn.Module):
    """A generator with its discriminator; called, it generates.

    Args:
        model: Which of the three models.
        side: Pixels along the images' sides, a power of 2 from 16 on.
        base: Channels that all sizes are multiples of.
        seed: Fixes the permutation of "shuffled".
        normalised: Whether the discriminator has batch normalisation, as the authors' does.
    """

    def __init__(
        self, model: ModelName, side: int, base: int, seed: int, *, normalised: bool = True
    ) -> None:
        super().__init__()
        self.generator: nn.Module
        if model == "convolution":
            self.generator = deconvolution_generator(side, base)
        else:
            self.generator = coordinate_generator(model, side, base, seed)
        self.discriminator = make_discriminator(model, side, base, seed, normalised=normalised)

    def forward(self, noise: Tensor) -> Tensor:
        """Generate images, (n, 256) to (n, 3, side, side); about -1 to 1."""
        images: Tensor = self.generator(noise)
        return images


class NoiseOverCanvas(nn.Module):
    """A 1x1 CoordConv over noise that is the same at every pixel.

    Its noise's share is computed once an image and its coordinates' share once a batch, instead
    of both at every pixel; the same function as `Spread` and a `CoordConv2d`.

    Args:
        channels: Of the output.
        side: Pixels along the canvas' sides.
        shuffle_seed: Of the shuffled control's permutation; none for true coordinates.
    """

    def __init__(self, channels: int, side: int, shuffle_seed: int | None) -> None:
        super().__init__()
        self.layer = CoordConv2d(NOISE, channels, 1, shuffle_seed=shuffle_seed)
        self.shape = (side, side)

    def forward(self, noise: Tensor) -> Tensor:
        """Turn (n, 256) into (n, channels, side, side)."""
        share = F.conv2d(noise[:, :, None, None], self.layer.weight)
        return share + self.layer.coordinate_map(self.shape)


def coordinate_generator(model: ModelName, side: int, base: int, seed: int) -> nn.Sequential:
    """Build 1x1 convolutions of 512, 256, 256, 128 and 64, two 3x3 of 64 and 1x1 to the colours.

    No nonlinearity at the end, as in the authors' code.
    """
    shuffle_seed = seed if model == "shuffled" else None
    sizes = [factor * base for factor in (8, 4, 4, 2, 1, 1, 1)]
    layers: list[nn.Module] = [NoiseOverCanvas(sizes[0], side, shuffle_seed), nn.ReLU(inplace=True)]
    for index, (before, after) in enumerate(itertools.pairwise(sizes)):
        kernel = 3 if index >= 4 else 1
        layers += [nn.Conv2d(before, after, kernel, padding=kernel // 2), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.Conv2d(base, 3, 1))


def deconvolution_generator(side: int, base: int) -> nn.Sequential:
    """Build DCGAN's generator: a dense layer to 4x4x512, then 5x5 deconvolutions of stride 2.

    At 64 pixels these have 256, 128, 64 and 3 channels; a canvas of 32 has one fewer, without the
    64, and one of 16 two fewer. Batch normalisation and ReLU follow all but the last, which a tanh
    follows.
    """
    steps = int(math.log2(side // FIRST_SIDE))
    sizes = [8 * base // 2**step for step in range(steps)] + [3]
    layers: list[nn.Module] = [
        nn.Linear(NOISE, sizes[0] * FIRST_SIDE**2),
        nn.Unflatten(1, (sizes[0], FIRST_SIDE, FIRST_SIDE)),
    ]
    for before, after in itertools.pairwise(sizes):
        layers += [
            nn.BatchNorm2d(before),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(before, after, 5, 2, 2, output_padding=1),
        ]
    return nn.Sequential(*layers, nn.Tanh())


def make_discriminator(
    model: ModelName, side: int, base: int, seed: int, *, normalised: bool
) -> nn.Sequential:
    """Build DCGAN's discriminator: 5x5 convolutions of stride 2, of 64, 128, 256 and 512.

    The models differ in the first one, which does or does not see coordinates; batch normalisation
    follows the others where it is wanted.
    """
    sizes = [base, 2 * base, 4 * base, 8 * base]
    layers: list[nn.Module] = [
        first_convolution(model, 3, base, 5, seed=seed, stride=2),
        nn.LeakyReLU(LEAK, inplace=True),
    ]
    for before, after in itertools.pairwise(sizes):
        layers.append(nn.Conv2d(before, after, 5, 2, 2))
        layers += [nn.BatchNorm2d(after)] if normalised else []
        layers.append(nn.LeakyReLU(LEAK, inplace=True))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(sizes[-1] * (side // 16) ** 2, 1))
