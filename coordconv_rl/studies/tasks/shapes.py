"""Two objects on white, one red and one blue, each a square or a disc; and where they are found.

After the authors' data/sort_of_clevr_generator.py, where a canvas has 64 pixels a side and an
object 20; a smaller canvas has them scaled. Colours run from -1 to 1.
"""

from __future__ import annotations

import torch
from torch import Tensor

from coordconv_rl.studies.tasks.data import CANVAS

RADIUS = 10  # pixels from an object's centre to its side on a canvas of 64
RED, BLUE = (1.0, -1.0, -1.0), (-1.0, -1.0, 1.0)
IMAGES_AT_A_TIME = 1000  # images painted at a time
CELLS = 4  # of a centre's range, along each axis, where joint positions are counted


def radius_of(side: int) -> int:
    """Give half of an object's pixels along a side, on a canvas of `side` pixels."""
    return RADIUS * side // CANVAS


def draw_centres(count: int, side: int, generator: torch.Generator) -> Tensor:
    """Draw the centres of both objects, uniform over all pairs whose frames do not overlap.

    Returns:
        (x, y) of red, then of blue, in pixels from the canvas' corner: (count, 2, 2), int64.
    """
    radius = radius_of(side)
    found = torch.empty(0, 2, 2, dtype=torch.int64)
    while len(found) < count:
        pairs = torch.randint(radius, side - radius + 1, (2 * count, 2, 2), generator=generator)
        apart = (pairs[:, 0] - pairs[:, 1]).abs().amax(1) >= 2 * radius
        found = torch.cat([found, pairs[apart]])
    return found[:count]


def paint_shapes(centres: Tensor, is_disc: Tensor, side: int) -> Tensor:
    """Paint the objects.

    Args:
        centres: (x, y) of red, then of blue, shape (n, 2, 2).
        is_disc: Which are discs and not squares, shape (n, 2).
        side: Pixels along the canvas' sides.

    Returns:
        Images of -1 to 1, shape (n, 3, side, side).
    """
    radius = radius_of(side)
    middles = torch.arange(side) + 0.5
    x, y = (middles - centres[..., axis, None] for axis in (0, 1))  # each (n, 2, side)
    x, y = x[..., None, :], y[..., :, None]
    square = (x.abs() < radius) & (y.abs() < radius)
    disc = x.square() + y.square() < radius**2
    shape = torch.where(is_disc[..., None, None], disc, square)
    images = torch.ones(len(centres), 3, side, side)
    for index, colour in enumerate((RED, BLUE)):
        painted = torch.tensor(colour)[:, None, None].expand_as(images)
        images = torch.where(shape[:, None, index], painted, images)
    return images


def make_shapes(count: int, side: int, seed: int) -> Tensor:
    """Make images of two objects each: shape (count, 3, side, side), int8 of -1 or 1.

    One byte a value, so that the paper's 50,000 images of 64x64 fit into memory.
    """
    generator = torch.Generator().manual_seed(seed)
    centres = draw_centres(count, side, generator)
    is_disc = torch.rand(count, 2, generator=generator) < 0.5
    chunks = (torch.split(part, IMAGES_AT_A_TIME) for part in (centres, is_disc))
    painted = (paint_shapes(c, d, side).to(torch.int8) for c, d in zip(*chunks, strict=True))
    return torch.cat(list(painted))


def find_centres(images: Tensor) -> Tensor:
    """Find the red and the blue object in images, drawn or generated.

    An object is found where the pixels of its colour are between half a disc's and one and a half
    times a square's, and spread no further than one and a half times as far as a square's: no
    specks, no floods, no two of a colour.

    Args:
        images: Shape (n, 3, side, side); a pixel is red where only its first channel is positive,
            blue where only its last one is.

    Returns:
        (x, y) of red, then of blue, in pixels: shape (n, 2, 2); NaN where there is none.
    """
    side = images.shape[-1]
    radius = radius_of(side)
    red, green, blue = (images > 0).unbind(1)
    masks = torch.stack([red & ~green & ~blue, blue & ~green & ~red], dim=1).float()
    pixels = masks.sum((2, 3)).clamp(min=1)
    middles = torch.arange(side, device=images.device) + 0.5
    columns, rows = masks.sum(2), masks.sum(3)
    x, y = (columns * middles).sum(2) / pixels, (rows * middles).sum(2) / pixels
    spread = (columns * (middles - x[..., None]).square()).sum(2)
    spread += (rows * (middles - y[..., None]).square()).sum(2)
    # A square's variance along an axis is (2 r)^2 / 12: two thirds of r^2 along both together.
    is_compact = spread / pixels < 1.5**2 * radius**2 * 2 / 3
    is_sized = (pixels > 0.5 * torch.pi * radius**2) & (pixels < 1.5 * (2 * radius) ** 2)
    centres = torch.stack([x, y], dim=2)
    return centres.masked_fill(~(is_compact & is_sized)[..., None], torch.nan)


def joint_cells(images: Tensor) -> Tensor:
    """Number the joint position of both objects in each image that has both.

    A centre's range is cut into 4 x 4 cells, so there are 256 joint ones; those in which the
    objects would overlap stay empty in real images.

    Returns:
        0 to 255, shape (images with both objects,), int64.
    """
    side = images.shape[-1]
    radius = radius_of(side)
    centres = find_centres(images).flatten(1)
    centres = centres[~centres.isnan().any(1)]
    cells = ((centres - radius) * CELLS / (side - 2 * radius)).long().clamp(0, CELLS - 1)
    return (cells * torch.tensor([CELLS**3, CELLS**2, CELLS, 1])).sum(1)
