"""Fields of digits: each digit fills its box, and the boxes are drawn as they should be."""

from __future__ import annotations

import torch

from coordconv_rl.studies.tasks import detection_data as fields


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_digits_are_cut_out_along_their_ink():
    digits = torch.zeros(2, 8, 8)
    digits[0, 2:5, 3:5] = 1.0
    cuts = fields.cut_out(digits)
    assert cuts.shape == (2, 1, 28, 28)
    torch.testing.assert_close(cuts[0], torch.ones(1, 28, 28))
    assert (cuts[1] == 0).all()


def test_one_or_two_boxes_lie_in_the_canvas():
    boxes = fields.draw_boxes(2000, generator())
    is_there = boxes[..., 2] > 0
    assert is_there[:, 0].all()
    assert 0.45 < is_there[:, 1].float().mean() < 0.55
    y, x, height, width = boxes[is_there].unbind(1)
    for middle, size in ((y, height), (x, width)):
        assert 15 <= size.min() < 15.1
        assert 24.9 < size.max() <= 25
        assert (middle - size / 2).min() >= 0
        assert (middle + size / 2).max() <= 64
    assert not height.equal(width)


def test_a_digit_fills_its_box_and_nothing_else():
    boxes = torch.tensor([[[20.0, 40.0, 16.0, 24.0], [0.0, 0.0, 0.0, 0.0]]])
    field = fields.paint_digits(torch.ones(1, 2, 28, 28), boxes)[0, 0]
    wanted = torch.zeros(64, 64)
    wanted[12:28, 28:52] = 1  # rows 20 - 8 to 20 + 8, columns 40 - 12 to 40 + 12
    torch.testing.assert_close(field, wanted)


def test_what_overlaps_is_clipped_at_1():
    boxes = torch.tensor([[[20.0, 20.0, 16.0, 16.0], [24.0, 20.0, 16.0, 16.0]]])
    field = fields.paint_digits(torch.full((1, 2, 28, 28), 0.75), boxes)[0, 0]
    torch.testing.assert_close(field.max(), torch.tensor(1.0))
    torch.testing.assert_close(field[[13, 22], [20, 20]], torch.tensor([0.75, 1.0]))


def test_the_seed_decides():
    digits = torch.rand(5, 8, 8, generator=generator())
    one, again, other = (fields.make_fields(digits, 7, seed) for seed in (0, 0, 1))
    assert one[0].shape == (7, 1, 64, 64)
    assert one[0].equal(again[0])
    assert one[1].equal(again[1])
    assert not one[0].equal(other[0])
