"""Not-so-Clevr, made in memory: a 9x9 square at every position of a 64x64 canvas that holds it.

Liu et al. 2018, section 3: 56 x 56 = 3,136 positions, and two ways to hold some of them out.
Positions are (x, y) in pixels, x along the width, and run from 4 to 59.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from coordconv_rl.studies.options import Split

CANVAS = 64
MARGIN = 4  # half of the square's 9 pixels
PLACES = CANVAS - 2 * MARGIN  # 56 along each axis


class Positions(NamedTuple):
    """The squares' centres in pixels, each of shape (n, 2), int64."""

    train: Tensor
    test: Tensor


def all_positions() -> Tensor:
    """List the 3,136 centres, row by row: shape (3136, 2), (x, y)."""
    axis = torch.arange(MARGIN, MARGIN + PLACES)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], dim=1)


def split_positions(split: Split, seed: int) -> Positions:
    """Hold a quarter of the positions out.

    Args:
        split: "uniform" holds a random quarter out, "quadrant" the one of large x and large y.
        seed: Fixes the random quarter; the quadrant is the same for all seeds.

    Returns:
        2,352 positions to train on and 784 to test on.
    """
    positions = all_positions()
    if split == "uniform":
        order = torch.randperm(len(positions), generator=torch.Generator().manual_seed(seed))
        held_out = torch.zeros(len(positions), dtype=torch.bool)
        held_out[order[: len(positions) // 4]] = True
    else:
        held_out = (positions >= CANVAS // 2).all(dim=1)
    return Positions(positions[~held_out], positions[held_out])


def normalise_positions(positions: Tensor) -> Tensor:
    """Put pixels 0 to 63 into the range -1 to +1, as the coordinate channels are: float32."""
    return positions.float() * (2 / (CANVAS - 1)) - 1


def pixel_index(positions: Tensor) -> Tensor:
    """Number each centre's pixel from 0 to 4,095, row by row: shape (n,)."""
    return positions[:, 1] * CANVAS + positions[:, 0]


def one_hot(positions: Tensor) -> Tensor:
    """Draw only the centres' pixels: shape (n, 1, 64, 64), float32, 0 or 1."""
    images = torch.zeros(len(positions), 1, CANVAS, CANVAS)
    images.flatten(1).scatter_(1, pixel_index(positions)[:, None], 1.0)
    return images


def squares(positions: Tensor) -> Tensor:
    """Draw the 9x9 squares: shape (n, 1, 64, 64), float32, 0 or 1."""
    axis = torch.arange(CANVAS)
    inside = (axis - positions[..., None]).abs() <= MARGIN  # (n, 2, 64)
    return (inside[:, 1, :, None] & inside[:, 0, None, :]).unsqueeze(1).float()
