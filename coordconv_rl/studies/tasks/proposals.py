"""The region proposal network's own rules: its anchors, its examples, its loss, its proposals.

Ren et al. 2015 (Faster R-CNN, section 3.1), with the numbers of the CoordConv authors' repository
(train_faster_rcnn.py): 9 anchors at each of 13 x 13 places, positive above an IoU of 0.5, negative
below 0.1, 12 examples an image, suppression at 0.8, at most 10 proposals.

A network's output has the shape (images, 1521, 6): for each anchor 4 offsets, then the scores of
"an object" and of "nothing". True boxes have the shape (images, 2, 4), centred; a box of height 0
is none.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from coordconv_rl.studies.tasks.boxes import (
    box_iou,
    clip_boxes,
    decode_boxes,
    encode_boxes,
    suppress,
    to_corners,
)
from coordconv_rl.studies.tasks.data import CANVAS

GRID = 13  # places along a side: 64 pixels, twice a 5x5 convolution without padding and a pooling
STRIDE = 4  # pixels between them
FIELD = 16  # pixels along a side of what a place sees before the region proposal layers
SIDES = (15.0, 20.0, 25.0)  # pixels; the anchors are all pairs of height and width
POSITIVE, NEGATIVE = 0.5, 0.1  # IoU with a true box
EXAMPLES = 12  # an image; at most half of them positive
OVERLAP, PROPOSALS = 0.8, 10


class Examples(NamedTuple):
    """What an image's loss is taken over.

    Attributes:
        positive: (image, anchor, true box) of each positive example: shape (p, 3).
        negative: (image, anchor) of each negative example: shape (q, 2).
    """

    positive: Tensor
    negative: Tensor


def make_anchors() -> Tensor:
    """List the 1,521 anchors, centred: shape (1521, 4); place by place, 9 at each."""
    centres = FIELD / 2 + STRIDE * torch.arange(GRID, dtype=torch.float32)
    y, x = torch.meshgrid(centres, centres, indexing="ij")
    places = torch.stack([y.flatten(), x.flatten()], dim=1)
    shapes = torch.tensor(list(itertools.product(SIDES, SIDES)))
    return torch.cat(
        [places.repeat_interleave(len(shapes), 0), shapes.repeat(len(places), 1)], dim=1
    )


def moved_boxes(outputs: Tensor) -> Tensor:
    """Give the box that each anchor proposes, cut off at the canvas: corners, (images, 1521, 4)."""
    anchors = make_anchors().to(outputs.device)
    return clip_boxes(to_corners(decode_boxes(anchors, outputs[..., :4])), CANVAS)


def true_iou(corners: Tensor, truth: Tensor) -> Tensor:
    """Measure boxes against the true ones: (images, n, 2), -1 where there is no true box."""
    iou = box_iou(corners, to_corners(truth))
    return iou.masked_fill(truth[:, None, :, 2] == 0, -1.0)


def draw_examples(iou: Tensor, generator: torch.Generator | None = None) -> Examples:
    """Choose the boxes to learn from, at random among those that qualify.

    Positive are the pairs of a box and a true box above `POSITIVE`, and the box that is nearest to
    each true box; negative are the boxes below `NEGATIVE` with all true boxes. Up to half of
    `EXAMPLES` are positive and the rest is negative, as far as there are any.

    Args:
        iou: Of each box with each true box, shape (images, n, boxes); -1 for no true box.
        generator: Draws; none for torch's own.
    """
    images, count, boxes = iou.shape
    best, nearest = iou.max(dim=1)  # of each true box
    is_positive = iou > POSITIVE
    is_positive.scatter_(1, nearest[:, None], (best >= 0)[:, None])
    order = torch.rand(images, count * boxes, generator=generator)
    chosen = _first(order, is_positive.flatten(1), torch.tensor(EXAMPLES // 2))
    image, pair = chosen.nonzero(as_tuple=True)
    positive = torch.stack([image, pair // boxes, pair % boxes], dim=1)

    is_negative = ~is_positive.any(2) & (iou < NEGATIVE).all(2)
    order = torch.rand(images, count, generator=generator)
    wanted = EXAMPLES - chosen.sum(1, keepdim=True)
    return Examples(positive, _first(order, is_negative, wanted).nonzero())


def _first(order: Tensor, qualified: Tensor, wanted: Tensor) -> Tensor:
    """Mark the first `wanted` qualified places of each row, in the given order."""
    rank = order.masked_fill(~qualified, 2.0).argsort(1).argsort(1)
    return qualified & (rank < wanted)


def proposal_loss(outputs: Tensor, truth: Tensor) -> Tensor:
    """Sum the images' losses: smooth L1 of the offsets and cross-entropy of the scores.

    In each image the mean over the positive examples of the summed L1, and the mean over all
    examples of the cross-entropy in nats. The boxes that the network proposes now are matched, not
    its anchors, as in the authors' code.
    """
    with torch.no_grad():
        examples = draw_examples(true_iou(moved_boxes(outputs), truth))
    image, anchor, box = examples.positive.unbind(1)
    wanted = encode_boxes(make_anchors()[anchor], truth[image, box])
    distances = F.smooth_l1_loss(outputs[image, anchor, :4], wanted, reduction="none").sum(1)

    everywhere = torch.cat([examples.positive[:, :2], examples.negative])
    kind = torch.zeros(len(everywhere), dtype=torch.int64)
    kind[len(image) :] = 1
    scores = outputs[everywhere[:, 0], everywhere[:, 1], 4:]
    surprises = F.cross_entropy(scores, kind, reduction="none")
    return _mean_by_image(distances, image, len(truth)) + _mean_by_image(
        surprises, everywhere[:, 0], len(truth)
    )


def _mean_by_image(values: Tensor, image: Tensor, images: int) -> Tensor:
    """Sum over images the mean of each image's values."""
    counts = torch.bincount(image, minlength=images)
    return (values / counts[image]).sum()


def propose(outputs: Tensor) -> tuple[Tensor, Tensor]:
    """Give each image's proposals, best first.

    Returns:
        Corners, shape (images, 10, 4), and their chances to hold an object, shape (images, 10).
        Places without a proposal hold an empty box of chance 0.
    """
    corners, chances = moved_boxes(outputs), outputs[..., 4:].softmax(-1)[..., 0]
    kept = suppress(corners, chances, overlap=OVERLAP, most=PROPOSALS)
    index = kept.clamp(min=0)
    found = corners.gather(1, index[..., None].expand(-1, -1, 4))
    is_none = kept < 0
    return (
        found.masked_fill(is_none[..., None], 0.0),
        chances.gather(1, index).masked_fill(is_none, 0.0),
    )
