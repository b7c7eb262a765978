"""The convolutional networks of the extractors, and the images that they take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any, Protocol

import torch
from gymnasium import spaces
from stable_baselines3.common.preprocessing import is_image_space
from torch import nn
from torch.nn import functional as F

from coordconv_rl.arms import Coords
from coordconv_rl.errors import InputError, unknown
from coordconv_rl.layers import CoordConv2d

NATURE_MINIMUM = 36  # 36 pixels leave 8, 3 and 1 after kernels 8, 4, 3 with strides 4, 2, 1
IMPALA_CHANNELS = (16, 32, 32)  # Espeholt et al. 2018, figure 3, the large architecture
CONVOLUTIONS = {"nature": 3, "impala": 15}


class Convolution(Protocol):
    """What makes the next convolution of a backbone, with or without coordinates."""

    def __call__(
        self, in_channels: int, out_channels: int, kernel_size: int, **options: Any
    ) -> nn.Conv2d:
        """Take what `nn.Conv2d` takes."""


def convolutions(
    backbone: str, coords: Coords, radius: bool, shuffle_seed: int | None
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


def chosen_convolutions(coords: Coords | Sequence[int], backbone: str) -> frozenset[int]:
    """Return the indices of the convolutions that get coordinates.

    Args:
        coords: "first", "all", "none", or indices from 0.
        backbone: "nature" (3 convolutions) or "impala" (15).

    Raises:
        InputError: If the backbone, the word or an index does not exist.
    """
    if backbone not in CONVOLUTIONS:
        raise unknown("backbone", backbone, CONVOLUTIONS)
    total = CONVOLUTIONS[backbone]
    if isinstance(coords, str):
        words = {"none": 0, "first": 1, "all": total}
        if coords not in words:
            raise unknown("coords", coords, words)
        return frozenset(range(words[coords]))
    indices = tuple(coords)
    valid = all(type(index) is int and 0 <= index < total for index in indices)
    if not indices or not valid or len(set(indices)) < len(indices):
        raise InputError(
            f"coords={coords!r} are not distinct indices of {backbone}'s {total} convolutions: "
            f"take some of 0 to {total - 1}, or 'first', 'all' or 'none'"
        )
    return frozenset(indices)


def check_image(space: spaces.Space[Any], backbone: str, *, normalized_image: bool = False) -> None:
    """Make sure that a space holds (channels, height, width) images that the backbone can take.

    Args:
        space: An observation space.
        backbone: "nature" or "impala".
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
    _check_channels_first(space.shape)
    smallest = min(space.shape[1:])
    if backbone == "nature" and smallest < NATURE_MINIMUM:
        raise InputError(
            f"found images of {space.shape[1]}x{space.shape[2]} pixels, wanted at least "
            f"{NATURE_MINIMUM}x{NATURE_MINIMUM} for the Nature backbone's kernels: resize them, or "
            "take backbone='impala'"
        )


def _check_channels_first(shape: tuple[int, ...]) -> None:
    """Raise `InputError` unless the first of three axes is the smallest, as SB3 tells channels."""
    first, *image = shape
    if first < min(image):
        return
    if shape[2] < min(shape[:2]):
        raise InputError(
            f"found images of shape {shape} with channels last, wanted (channels, height, width): "
            "wrap the environment in stable_baselines3's VecTransposeImage"
        )
    raise InputError(
        f"found images of shape {shape}, where no axis tells itself as the channels, wanted "
        "(channels, height, width) with fewer channels than pixels a side: transpose or resize them"
    )


def nature_cnn(channels: int, convolution: Convolution) -> nn.Sequential:
    """Make the convolutions of Mnih et al. 2015, with the modules' order of SB3's `NatureCNN`."""
    return nn.Sequential(
        convolution(channels, 32, kernel_size=8, stride=4),
        nn.ReLU(),
        convolution(32, 64, kernel_size=4, stride=2),
        nn.ReLU(),
        convolution(64, 64, kernel_size=3, stride=1),
        nn.ReLU(),
        nn.Flatten(),
    )


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


def impala_cnn(channels: int, convolution: Convolution) -> nn.Sequential:
    """Make the residual convolutions of Espeholt et al. 2018 (figure 3, large architecture)."""

    def modules() -> Iterator[nn.Module]:
        before = channels
        for after in IMPALA_CHANNELS:
            yield convolution(before, after, kernel_size=3, padding=1)
            yield nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
            yield Residual(after, convolution)
            yield Residual(after, convolution)
            before = after

    return nn.Sequential(*modules(), nn.ReLU(), nn.Flatten())
