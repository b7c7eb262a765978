"""The region proposal rules against hand-made boxes."""

from __future__ import annotations

import math

import pytest
import torch

from coordconv_rl.studies.tasks import proposals
from coordconv_rl.studies.tasks.boxes import encode_boxes, to_corners

TRUTH = torch.tensor([[[32.0, 32.0, 20.0, 20.0], [0.0, 0.0, 0.0, 0.0]]])  # an anchor; none


def nowhere(images=1):
    """Outputs that move no anchor and prefer none."""
    return torch.zeros(images, 1521, 6)


def find(box):
    return (proposals.make_anchors() == torch.tensor(box)).all(1).nonzero().item()


def test_anchors_are_all_pairs_of_three_sides_at_13_by_13_places():
    anchors = proposals.make_anchors()
    assert anchors.shape == (1521, 4)
    assert anchors[0].tolist() == [8, 8, 15, 15]
    assert anchors[9].tolist() == [8, 12, 15, 15]  # the next place is to the right
    assert anchors[-1].tolist() == [56, 56, 25, 25]
    assert sorted(map(tuple, anchors[:9, 2:].tolist())) == [
        (h, w) for h in (15, 20, 25) for w in (15, 20, 25)
    ]


def test_places_are_the_middles_of_what_the_convolutions_see():
    # The receptive field of two 5x5 convolutions and two poolings, by its gradient.
    from coordconv_rl.studies.tasks.region_network import RegionProposals

    image = torch.rand(1, 1, 64, 64, requires_grad=True)
    features = RegionProposals("convolution", 0).trunk[:6](image)
    assert features.shape == (1, 64, 13, 13)
    features[0, :, 0, 2].sum().backward()
    seen = image.grad[0, 0].nonzero()
    assert seen.amin(0)[0] >= 0
    assert seen.amax(0)[0] < 16  # rows 0 to 15: the middle is 8
    assert (seen[:, 1].min() >= 8, seen[:, 1].max() < 24) == (True, True)  # columns 8 to 23: 16


def test_moved_boxes_end_at_the_canvas():
    outputs = nowhere()
    outputs[0, 0, :2] = -10
    corners = proposals.moved_boxes(outputs)
    assert corners.min() >= 0
    assert corners.max() <= 64
    index = find([32, 32, 20, 20])
    assert corners[0, index].tolist() == [22, 22, 42, 42]


def test_absent_boxes_overlap_nothing():
    iou = proposals.true_iou(proposals.moved_boxes(nowhere()), TRUTH)
    assert (iou[..., 1] == -1).all()
    assert iou[0, find([32, 32, 20, 20]), 0] == 1


def test_examples_are_positive_above_one_half_and_negative_below_a_tenth():
    iou = proposals.true_iou(proposals.moved_boxes(nowhere()), TRUTH)
    image, anchor, box = proposals.draw_examples(iou).positive.unbind(1)
    negative = proposals.draw_examples(iou).negative
    assert len(image) == 6
    assert (box == 0).all()
    assert (iou[0, anchor, 0] > 0.5).all()
    assert len(negative) == 6
    assert (iou[0, negative[:, 1], 0] < 0.1).all()


def test_a_true_box_without_a_good_one_gets_the_nearest():
    iou = torch.full((2, 30, 2), 0.05)
    iou[0, 7, 0], iou[0, 9, 1] = 0.3, 0.2
    iou[1, :, 1], iou[1, 4, 0] = -1.0, 0.4
    examples = proposals.draw_examples(iou)
    assert {tuple(row) for row in examples.positive.tolist()} == {(0, 7, 0), (0, 9, 1), (1, 4, 0)}
    counts = torch.bincount(examples.negative[:, 0])
    assert counts.tolist() == [10, 11]  # 12 an image in all
    taken = {tuple(row) for row in examples.negative.tolist()}
    assert not taken & {(0, 7), (0, 9), (1, 4)}


def test_examples_follow_the_generator():
    iou = proposals.true_iou(proposals.moved_boxes(nowhere()), TRUTH)
    one, again, other = (
        proposals.draw_examples(iou, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert one.positive.equal(again.positive)
    assert one.negative.equal(again.negative)
    assert not one.negative.equal(other.negative)


def test_loss_of_a_network_that_knows_nothing_is_ln_2_for_the_scores():
    # The only box is far from all anchors' sizes but one: its positive examples are drawn, so
    # compare with offsets that are right for every anchor.
    outputs = nowhere()
    outputs[..., :4] = encode_boxes(proposals.make_anchors(), TRUTH[:, :1])
    assert proposals.proposal_loss(outputs, TRUTH).item() == pytest.approx(math.log(2), abs=1e-5)


def test_loss_is_smooth_l1_of_the_offsets():
    # One positive example alone: of a box of 12 pixels, only the anchor of 15 around it has more
    # than half, 144 of 225 pixels.
    truth = torch.tensor([[[32.0, 32.0, 12.0, 12.0], [0.0, 0.0, 0.0, 0.0]]])
    outputs = nowhere()
    outputs[..., 4] = -50
    outputs[0, find([32, 32, 15, 15]), 4] = 50
    shrink = math.log(15 / 12)  # of both sides, below 1: d^2 / 2
    assert proposals.proposal_loss(outputs, truth).item() == pytest.approx(shrink**2)


def test_loss_sums_over_images():
    torch.manual_seed(0)
    outputs = nowhere()
    outputs[..., :4] = encode_boxes(proposals.make_anchors(), TRUTH[:, :1])
    both = proposals.proposal_loss(outputs.repeat(2, 1, 1), TRUTH.repeat(2, 1, 1))
    assert both.item() == pytest.approx(2 * math.log(2), abs=1e-5)


def test_proposals_come_best_first_without_near_copies():
    outputs = nowhere()
    outputs[..., 5] = 9.0  # nothing, everywhere
    index = find([32, 32, 20, 20])
    outputs[0, index, 4] = 12.0
    corners, chances = proposals.propose(outputs)
    assert corners.shape == (1, 10, 4)
    assert corners[0, 0].equal(to_corners(TRUTH[0, 0]))
    assert chances[0, 0] == pytest.approx(1 / (1 + math.exp(-3)))
    assert (chances[0].diff() <= 0).all()
    iou = proposals.box_iou(corners[0], corners[0]).fill_diagonal_(0)
    assert iou.max() <= 0.8
