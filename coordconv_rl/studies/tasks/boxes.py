"""Boxes in pixels: their overlap, their offsets from anchors, and the suppression of near copies.

What torchvision calls box_iou, BoxCoder and nms, in plain torch and for whole batches at once:
torchvision does not import beside every build of torch. Two ways to write a box:

- centred: (y, x, height, width), as the authors' data has it;
- corners: (left, top, right, bottom), as torchvision's operators have it.
"""

from __future__ import annotations

import torch
from torch import Tensor


def to_corners(centred: Tensor) -> Tensor:
    """Turn centred boxes into corners: shape (..., 4) both."""
    y, x, height, width = centred.unbind(-1)
    return torch.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], dim=-1)


def to_centred(corners: Tensor) -> Tensor:
    """Turn corners into centred boxes: shape (..., 4) both."""
    left, top, right, bottom = corners.unbind(-1)
    return torch.stack([(top + bottom) / 2, (left + right) / 2, bottom - top, right - left], dim=-1)


def box_iou(one: Tensor, other: Tensor) -> Tensor:
    """Measure each box's intersection over union with each other box.

    Args:
        one: Corners, shape (..., n, 4).
        other: Corners, shape (..., m, 4).

    Returns:
        Values of 0 to 1, shape (..., n, m); 0 where both boxes are empty.
    """
    one, other = one.unsqueeze(-2), other.unsqueeze(-3)
    sides = torch.minimum(one[..., 2:], other[..., 2:]) - torch.maximum(
        one[..., :2], other[..., :2]
    )
    shared = sides.clamp(min=0).prod(-1)
    union = _area(one) + _area(other) - shared
    return shared / union.clamp(min=torch.finfo(union.dtype).tiny)


def _area(corners: Tensor) -> Tensor:
    return (corners[..., 2:] - corners[..., :2]).prod(-1)


def clip_boxes(corners: Tensor, side: float) -> Tensor:
    """Cut boxes off at the edges of a canvas of `side` x `side` pixels."""
    return corners.clamp(0, side)


def encode_boxes(anchors: Tensor, boxes: Tensor) -> Tensor:
    """Write boxes as offsets from anchors (Ren et al. 2015, equation 2), all centred.

    The centre moves in heights and widths of the anchor; sides change by the exponential.

    Returns:
        (y, x, height, width) offsets, shape (..., 4); `decode_boxes` turns them back.
    """
    moved = (boxes[..., :2] - anchors[..., :2]) / anchors[..., 2:]
    return torch.cat([moved, (boxes[..., 2:] / anchors[..., 2:]).log()], dim=-1)


def decode_boxes(anchors: Tensor, offsets: Tensor) -> Tensor:
    """Move anchors by offsets: centred boxes, shape (..., 4)."""
    centres = anchors[..., :2] + offsets[..., :2] * anchors[..., 2:]
    return torch.cat([centres, anchors[..., 2:] * offsets[..., 2:].exp()], dim=-1)


def suppress(corners: Tensor, scores: Tensor, *, overlap: float, most: int) -> Tensor:
    """Keep the best boxes of each image that are no near copies of a better one.

    Greedy non-maximum suppression: the box of the highest score stays, those whose IoU with it is
    above `overlap` go, and so on with the rest.

    Args:
        corners: Shape (images, n, 4).
        scores: Shape (images, n); higher is better.
        overlap: IoU above which the lower score goes.
        most: Boxes to keep of an image.

    Returns:
        Indices of the boxes kept, best first: shape (images, most), int64. An image with fewer
        than `most` boxes left has -1 in the places that are too many.
    """
    scores = scores.clone()
    image = torch.arange(len(scores), device=scores.device)
    kept = []
    for _ in range(most):
        score, best = scores.max(dim=1)
        kept.append(torch.where(score > -torch.inf, best, -1))
        copies = box_iou(corners[image, best][:, None], corners)[:, 0] > overlap
        copies[image, best] = True
        scores.masked_fill_(copies, -torch.inf)
    return torch.stack(kept, dim=1)
