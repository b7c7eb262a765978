"""Not-so-Clevr, made in memory: a 9x9 square at every position of a 64x64 canvas that holds it.

Liu et al. 2018, section 3: 56 x 56 = 3,136 positions, and two ways to hold some of them out.
Positions are (x, y) in pixels, x along the width, and run from 4 to 59.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from coordconv_rl.errors import InputError
from coordconv_rl.studies.options import POSITION_SPLITS, Split, StudyOptions

CANVAS = 64
MARGIN = 4  # half of the square's 9 pixels
PLACES = CANVAS - 2 * MARGIN  # 56 along each axis


class Positions(NamedTuple):
    """The squares' centres in pixels, each of shape (n, 2), int64."""

    train: Tensor
    validation: Tensor
    test: Tensor


class Parts(NamedTuple):
    """A study's examples, each part as (inputs, targets) with the examples along axis 0.

    Settings are chosen by trainings on `train` alone, judged on `validation`; then train and
    validation part together are trained on, and `test` is judged.
    """

    train: tuple[Tensor, Tensor]
    validation: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]


def all_positions() -> Tensor:
    """List the 3,136 centres, row by row: shape (3136, 2), (x, y)."""
    axis = torch.arange(MARGIN, MARGIN + PLACES)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], dim=1)


def split_positions(split: Split, seed: int) -> Positions:
    """Hold a quarter of the positions out for the test, and another for the choice of settings.

    Args:
        split: "uniform" holds random quarters out; "quadrant" the one of large x and large y for
            the test and the opposite one for the choice, so that both ask for extrapolation.
        seed: Fixes the random quarters; the quadrants are the same for all seeds.

    Returns:
        1,568 positions to train on, 784 for validation and 784 for the test.
    """
    positions = all_positions()
    if split == "uniform":
        order = torch.randperm(len(positions), generator=torch.Generator().manual_seed(seed))
        rank = order.argsort() // (len(positions) // 4)
        test, validation = rank == 0, rank == 1
    else:
        test = (positions >= CANVAS // 2).all(dim=1)
        validation = (positions < CANVAS // 2).all(dim=1)
    return Positions(positions[~test & ~validation], positions[validation], positions[test])


def position_splits(options: StudyOptions) -> tuple[Split, ...]:
    """List the splits that were asked for, one after the other.

    Raises:
        InputError: MNIST's digits were asked for.
    """
    if options.mnist is not None:
        raise InputError("--mnist: only the study detection has digits; leave it out")
    return POSITION_SPLITS if options.split == "both" else (options.split,)


def refuse_splits(options: StudyOptions, name: str) -> None:
    """Refuse `--split` in a study that has no positions to hold out.

    Raises:
        InputError: A split was asked for.
    """
    if options.split != "both":
        raise InputError(f"--split {options.split}: {name} holds out no positions; leave it out")


def at_positions(
    draw: Callable[[Tensor, int], tuple[Tensor, Tensor]],
) -> Callable[[Split, int, Path | None], Parts]:
    """Make a study's `data` of a function from positions and a seed to inputs and targets."""

    def data(split: Split, seed: int, mnist: Path | None) -> Parts:
        return Parts(*(draw(positions, seed) for positions in split_positions(split, seed)))

    return data


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
