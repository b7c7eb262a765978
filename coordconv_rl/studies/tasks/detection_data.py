"""Fields of digits, made in memory: one or two on a canvas of 64x64, each with its box.

After the authors' data/field_of_mnist/loader.py: a digit is cut out along its ink, scaled to 15 to
25 pixels a side (both sides drawn alone), laid at a uniform place of the canvas, and what overlaps
is clipped at 1.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from coordconv_rl.studies.tasks.data import CANVAS

SMALLEST_SIDE, LARGEST_SIDE = 15.0, 25.0  # pixels along a side
MOST = 2  # digits on a canvas
CUT = 28  # pixels along a side of a digit that is cut out, before it is scaled
CANVASES_AT_A_TIME = 500  # canvases painted at a time


def cut_out(digits: Tensor) -> Tensor:
    """Cut digits out along their ink: (n, h, w) to (n, 1, 28, 28); a blank one stays whole."""
    cuts = []
    for digit in digits:
        rows, columns = ((digit > 0).any(axis).nonzero()[:, 0] for axis in (1, 0))
        if len(rows):
            digit = digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]  # noqa: PLW2901
        cuts.append(F.interpolate(digit[None, None], (CUT, CUT), mode="bilinear"))
    return torch.cat(cuts)


def draw_boxes(count: int, generator: torch.Generator) -> Tensor:
    """Draw one or two boxes for each canvas: shape (count, 2, 4), centred; of height 0 for none."""
    share = torch.rand(count, MOST, 2, generator=generator)
    sides = SMALLEST_SIDE + (LARGEST_SIDE - SMALLEST_SIDE) * share
    centres = sides / 2 + (CANVAS - sides) * torch.rand(count, MOST, 2, generator=generator)
    boxes = torch.cat([centres, sides], dim=2)
    boxes[torch.rand(count, generator=generator) < 0.5, 1] = 0.0
    return boxes


def paint_digits(digits: Tensor, boxes: Tensor) -> Tensor:
    """Scale a digit into each box of its canvas and add them up.

    Args:
        digits: As `cut_out` gives them, shape (n, boxes, 28, 28).
        boxes: Centred, shape (n, boxes, 4); of height 0 for none.

    Returns:
        Canvases of 0 to 1, shape (n, 1, 64, 64).
    """
    y, x, height, width = boxes.flatten(0, 1).unbind(1)
    height, width = height.clamp(min=1e-3), width.clamp(min=1e-3)  # no box: thinner than a pixel
    zero = torch.zeros_like(y)
    # Where on the digit (-1 to 1) does a point of the canvas (-1 to 1) lie?
    across = torch.stack([CANVAS / width, zero, (CANVAS - 2 * x) / width], dim=1)
    down = torch.stack([zero, CANVAS / height, (CANVAS - 2 * y) / height], dim=1)
    size = [len(y), 1, CANVAS, CANVAS]
    grid = F.affine_grid(torch.stack([across, down], dim=1), size, align_corners=False)
    painted = F.grid_sample(digits.flatten(0, 1)[:, None], grid, align_corners=False)
    painted = painted.view(*boxes.shape[:2], CANVAS, CANVAS)
    painted = painted * (boxes[..., 2] > 0)[..., None, None]
    return painted.sum(1, keepdim=True).clamp(max=1.0)


def make_fields(digits: Tensor, count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Make canvases and their boxes.

    Args:
        digits: To choose from, shape (n, h, w), 0 to 1.
        count: Canvases.
        seed: Fixes digits, boxes and places.

    Returns:
        Canvases, shape (count, 1, 64, 64), and boxes, shape (count, 2, 4), centred.
    """
    generator = torch.Generator().manual_seed(seed)
    boxes = draw_boxes(count, generator)
    chosen = torch.randint(len(digits), (count, MOST), generator=generator)
    cuts = cut_out(digits)
    chunks = (torch.split(part, CANVASES_AT_A_TIME) for part in (chosen, boxes))
    fields = [paint_digits(cuts[some, 0], those) for some, those in zip(*chunks, strict=True)]
    return torch.cat(fields), boxes
