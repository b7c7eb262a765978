"""The convolutional networks of the extractors, and the images that they take.

A backbone maps images, (N, channels, height, width), to feature maps, (N, K, H', W'), which a
head turns to a vector (see `heads`).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from itertools import count
from typing import Any, Protocol

import torch
from gymnasium import spaces
from stable_baselines3.common.preprocessing import is_image_space
from torch import nn
from torch.nn import functional as F

from coordconv_rl.arms import Backbone, Coords, chosen_convolutions
from coordconv_rl.errors import InputError
from coordconv_rl.layers import CoordConv2d

IMPALA_CHANNELS = (16, 32, 32)  # Espeholt et al. 2018, figure 3, the large architecture
MINATAR_CHANNELS = 16  # Young and Tian 2019, arXiv 1903.03176: a quarter of DQN's last 64

FEATURES: dict[Backbone, int] = {
    "nature": 512,
    "impala": 512,
    "minatar": 128,
}  # SB3's, and a quarter of it for MinAtar
SMALLEST_IMAGE: dict[Backbone, int] = {
    "nature": 36,  # pixels: 36 leave 8, 3 and 1 after kernels 8, 4, 3 with strides 4, 2, 1
    "impala": 1,  # its kernels are padded
    "minatar": 3,
}


class Convolution(Protocol):
    """What makes the next convolution of a backbone, with or without coordinates."""

    def __call__(
        self, in_channels: int, out_channels: int, kernel_size: int, **options: Any
    ) -> nn.Conv2d:
        """Take what `nn.Conv2d` takes."""


def convolution_factory(
    backbone: Backbone, coords: Coords, radius: bool, shuffle_seed: int | None
) -> Convolution:
    """Return a factory whose k-th call makes the backbone's k-th convolution.

    Raises:
        InputError: If the backbone or the choice of convolutions does not exist.
    """
    chosen = chosen_convolutions(coords, backbone)
    if not chosen and (radius or shuffle_seed is not None):
        raise InputError(
            "radius and shuffle_seed need coordinates, but coords='none': choose 'first' or 'all'"
        )
    index = count()

    def convolution(
        in_channels: int, out_channels: int, kernel_size: int, **options: Any
    ) -> nn.Conv2d:
        if next(index) not in chosen:
            return nn.Conv2d(in_channels, out_channels, kernel_size, **options)
        options |= {"radius": radius, "shuffle_seed": shuffle_seed}
        return CoordConv2d(in_channels, out_channels, kernel_size, **options)

    return convolution


def check_image(
    space: spaces.Space[Any], backbone: Backbone, *, normalized_image: bool = False
) -> None:
    """Make sure that a space holds (channels, height, width) images that the backbone can take.

    Args:
        space: An observation space.
        backbone: "nature", "impala" or "minatar".
        normalized_image: Whether images are already scaled: then any dtype and bounds will do.

    Raises:
        InputError: If the space holds no images, channels are not first, or images are too small.
    """
    if not isinstance(space, spaces.Box) or len(space.shape) != 3:
        raise InputError(
            f"found observations {space}, wanted images, a Box of shape (channels, height, width): "
            "take MlpPolicy for vectors, MultiInputPolicy and CoordConvCombinedExtractor for Dicts"
        )
    if not is_image_space(space, normalized_image=normalized_image):
        raise InputError(
            f"found images of {space.dtype} in [{space.low.min()}, {space.high.max()}], wanted "
            "uint8 in [0, 255]: declare them so, or, for images that are already scaled, pass "
            "normalize_images=False to the policy"
        )
    smallest = SMALLEST_IMAGE[backbone]
    if not _has_channels_first(space):
        _doubt_channels(space, as_sb3=backbone == "nature" and min(space.shape[1:]) >= smallest)
    if min(space.shape[1:]) < smallest:
        raise InputError(
            f"found images of {space.shape[1]}x{space.shape[2]} pixels, wanted at least "
            f"{smallest}x{smallest} for the {backbone} backbone's kernels: resize them, or "
            "take backbone='impala', or 'minatar' for MinAtar's 10x10"
        )


def _has_channels_first(space: spaces.Box) -> bool:
    """Tell whether the first of three axes looks like the channels.

    SB3 takes the smallest axis of uint8 images in [0, 255], the first of equals, for the channels,
    and moves it to the front where it is the last. So MinAtar's Seaquest, 10x10x10, has its
    channels first. Other images reach the network as they are, and a square one may have more
    channels than pixels a side, as stacked frames of MinAtar.
    """
    first, height, width = space.shape
    return first <= min(height, width) or (height == width and not is_image_space(space))


def _doubt_channels(space: spaces.Box, *, as_sb3: bool) -> None:
    """Raise `InputError` about the order of axes, or warn where SB3's `NatureCNN` takes the images.

    Many stacked frames have more channels than pixels a side, and `VecTransposeImage(skip=True)`
    says that they come first.
    """
    first, height, width = space.shape
    if as_sb3:
        warnings.warn(
            f"images of shape {space.shape} are taken as (channels, height, width), with more "
            "channels than pixels a side: if the channels are last, transpose the images",
            stacklevel=4,
        )
    elif width < min(first, height):
        raise InputError(
            f"found images of shape {space.shape} with channels last, wanted (channels, height, "
            "width): wrap the environment in stable_baselines3's VecTransposeImage"
        )
    else:
        raise InputError(
            f"found images of shape {space.shape}, where no axis tells itself as the channels, "
            "wanted (channels, height, width) with no more channels than pixels a side: transpose "
            "or resize"
        )


def nature_cnn(channels: int, convolution: Convolution) -> list[nn.Module]:
    """Make the convolutions of Mnih et al. 2015, in the order of SB3's `NatureCNN`."""
    return [
        convolution(channels, 32, kernel_size=8, stride=4),
        nn.ReLU(),
        convolution(32, 64, kernel_size=4, stride=2),
        nn.ReLU(),
        convolution(64, 64, kernel_size=3, stride=1),
        nn.ReLU(),
    ]


class Residual(nn.Module):
    """A residual block of Espeholt et al. 2018: ReLU, 3x3, ReLU, 3x3, plus the input."""

    def __init__(self, channels: int, convolution: Convolution) -> None:
        super().__init__()
        self.conv0 = convolution(channels, channels, kernel_size=3, padding=1)
        self.conv1 = convolution(channels, channels, kernel_size=3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, K, H, W) to (N, K, H, W)."""
        residual: torch.Tensor = self.conv1(F.relu(self.conv0(F.relu(x))))
        return x + residual


def impala_cnn(channels: int, convolution: Convolution) -> list[nn.Module]:
    """Make the residual convolutions of Espeholt et al. 2018 (figure 3, large architecture)."""
    modules: list[nn.Module] = []
    for after in IMPALA_CHANNELS:
        modules += [
            convolution(channels, after, kernel_size=3, padding=1),
            nn.MaxPool2d(kernel_size=3, stride=2, padding=1),
            Residual(after, convolution),
            Residual(after, convolution),
        ]
        channels = after
    return [*modules, nn.ReLU()]


def minatar_cnn(channels: int, convolution: Convolution) -> list[nn.Module]:
    """Make the convolution of Young and Tian 2019 for grids of 10x10 (`examples/dqn.py` there)."""
    return [convolution(channels, MINATAR_CHANNELS, kernel_size=3, stride=1), nn.ReLU()]


BACKBONES: dict[Backbone, Callable[[int, Convolution], list[nn.Module]]] = {
    "nature": nature_cnn,
    "impala": impala_cnn,
    "minatar": minatar_cnn,
}
