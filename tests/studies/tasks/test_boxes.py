"""Boxes against values worked out by hand, and against torchvision where it can be imported."""

from __future__ import annotations

import pytest
import torch

from coordconv_rl.studies.tasks.boxes import (
    box_iou,
    clip_boxes,
    decode_boxes,
    encode_boxes,
    suppress,
    to_centred,
    to_corners,
)

ONE = torch.tensor([[0.0, 0.0, 4.0, 2.0]])  # 4 wide, 2 high


def random_corners(count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    low = 50 * torch.rand(count, 2, generator=generator)
    return torch.cat([low, low + 1 + 20 * torch.rand(count, 2, generator=generator)], dim=1)


@pytest.fixture
def torchvision_ops():
    try:
        from torchvision import ops
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"torchvision does not import here: {error}")
    return ops


def test_centres_and_corners_are_the_same_boxes():
    centred = torch.tensor([[10.0, 20.0, 4.0, 6.0]])  # y, x, height, width
    corners = to_corners(centred)
    assert corners.tolist() == [[17, 8, 23, 12]]  # left, top, right, bottom
    assert to_centred(corners).equal(centred)


@pytest.mark.parametrize(
    ("other", "iou"),
    [
        ([0, 0, 4, 2], 1.0),
        ([2, 0, 6, 2], 4 / 12),  # half of each is shared
        ([1, 0, 3, 1], 2 / 8),  # inside
        ([4, 0, 8, 2], 0.0),  # they touch
        ([9, 9, 10, 10], 0.0),
    ],
)
def test_iou(other, iou):
    other = torch.tensor([other], dtype=torch.float32)
    assert box_iou(ONE, other).item() == pytest.approx(iou)
    assert box_iou(other, ONE).item() == pytest.approx(iou)


def test_iou_of_empty_boxes_is_0():
    empty = torch.zeros(1, 4)
    assert box_iou(empty, empty).item() == 0
    assert box_iou(empty, ONE).item() == 0


def test_iou_of_batches_is_that_of_each_image():
    one, other = random_corners(12).view(3, 4, 4), random_corners(6, seed=1).view(3, 2, 4)
    together = box_iou(one, other)
    assert together.shape == (3, 4, 2)
    for image in range(3):
        assert together[image].equal(box_iou(one[image], other[image]))


def test_boxes_are_cut_off_at_the_canvas():
    assert clip_boxes(torch.tensor([[-3.0, 5.0, 70.0, 63.0]]), 64).tolist() == [[0, 5, 64, 63]]


def test_offsets_move_by_the_anchors_sides_and_scale_by_the_exponential():
    anchor = torch.tensor([[30.0, 20.0, 10.0, 20.0]])
    offsets = torch.tensor([[0.5, -0.25, 0.0, 2.0]]) * torch.tensor(
        [1, 1, 1, torch.tensor(2.0).log() / 2]
    )
    moved = decode_boxes(anchor, offsets)
    torch.testing.assert_close(moved, torch.tensor([[35.0, 15.0, 10.0, 40.0]]))
    torch.testing.assert_close(encode_boxes(anchor, moved), offsets)


def test_suppression_keeps_the_best_and_drops_its_near_copies():
    boxes = torch.tensor(
        [[0, 0, 10, 10], [0, 0, 10, 9], [0, 0, 10, 7], [30, 30, 40, 40]], dtype=torch.float32
    )
    scores = torch.tensor([[0.5, 0.9, 0.8, 0.1]])
    kept = suppress(boxes[None], scores, overlap=0.8, most=4)
    # 1 is the best; 0 overlaps it by 0.9 and goes; 2 by 0.78 and stays.
    assert kept.tolist() == [[1, 2, 3, -1]]
    assert suppress(boxes[None], scores, overlap=0.8, most=2).tolist() == [[1, 2]]
    assert scores.tolist() == [pytest.approx([0.5, 0.9, 0.8, 0.1])], "the caller's stay as they are"


def test_torchvision_measures_the_same_overlap(torchvision_ops):
    one, other = random_corners(40), random_corners(30, seed=1)
    torch.testing.assert_close(box_iou(one, other), torchvision_ops.box_iou(one, other))


@pytest.mark.parametrize("overlap", [0.3, 0.8])
def test_torchvision_keeps_the_same_boxes(torchvision_ops, overlap):
    corners = random_corners(300).view(2, 150, 4)
    scores = torch.rand(2, 150, generator=torch.Generator().manual_seed(2))
    kept = suppress(corners, scores, overlap=overlap, most=150)
    for image in range(2):
        theirs = torchvision_ops.nms(corners[image], scores[image], overlap).tolist()
        assert kept[image, : len(theirs)].tolist() == theirs
        assert (kept[image, len(theirs) :] == -1).all()


def test_torchvision_codes_boxes_alike(torchvision_ops):
    coder = __import__("torchvision.models.detection._utils", fromlist=["BoxCoder"])
    boxes, anchors = random_corners(20), random_corners(20, seed=1)
    theirs = coder.BoxCoder((1.0, 1.0, 1.0, 1.0)).encode_single(boxes, anchors)  # x, y, w, h
    ours = encode_boxes(to_centred(anchors), to_centred(boxes))
    torch.testing.assert_close(ours[:, [1, 0, 3, 2]], theirs, atol=1e-4, rtol=1e-4)
