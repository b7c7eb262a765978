"""Layers of the Nature network as the gate knows them, images for them, and recordings of both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from coordconv_rl import CoordConvExtractor
from coordconv_rl.fast import (
    ActingCache,
    Computation,
    KnownLayers,
    Observations,
    Recording,
    known_layers,
)

SPACE = spaces.Box(0, 255, (4, 84, 84), np.uint8)
SIZE = torch.Size((84, 84))
FRAMES = torch.randint(256, (2, 4, 84, 84), dtype=torch.uint8)
FLOAT = Computation(SIZE, torch.float32)


def made() -> KnownLayers:
    torch.manual_seed(0)
    extractor = CoordConvExtractor(SPACE)
    images = Observations(FRAMES.shape, FRAMES.dtype, FRAMES.device)
    return known_layers(extractor.cnn, extractor.linear, images)


def any_images(_: Tensor) -> bool:
    """Take all that is noted as a rollout's step."""
    return True


@contextmanager
def recorded(
    cache: ActingCache, steps: int, is_step: Callable[[Tensor], bool] = any_images
) -> Iterator[Recording]:
    """Collect a rollout of so many steps, and record it."""
    recording = Recording(steps, Tensor.clone)
    with cache.collecting(is_step, recording):
        yield recording


def row(layers: KnownLayers) -> None:
    """Change a row of the linear layer's weight, behind autograd's back."""
    layers.linear.weight.data[300] = 0


def column(layers: KnownLayers) -> None:
    """Change a column of it."""
    layers.linear.weight.data[:, 3000] = 0


def one_small_number(layers: KnownLayers) -> None:
    """Change a single weight of the third convolution."""
    layers.convolutions[2].weight.data[63, 5, 1, 1] += 1
