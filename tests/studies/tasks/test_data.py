"""Not-so-Clevr, against values worked out by hand."""

from __future__ import annotations

import pytest
import torch

from coordconv_rl.studies.options import SPLITS
from coordconv_rl.studies.tasks.data import (
    all_positions,
    normalise_positions,
    one_hot,
    pixel_index,
    split_positions,
    squares,
)

CORNERS = torch.tensor([[4, 4], [59, 4], [4, 59], [31, 32]])


def test_positions_are_those_of_not_so_clevr():
    positions = all_positions()
    assert positions.shape == (3136, 2)
    assert len(positions.unique(dim=0)) == 3136
    assert (positions.min().item(), positions.max().item()) == (4, 59)


@pytest.mark.parametrize("split", SPLITS)
def test_splits_hold_a_quarter_out_and_share_nothing(split):
    train, test = split_positions(split, seed=3)
    assert (len(train), len(test)) == (2352, 784)
    both = torch.cat([train, test]).unique(dim=0)
    assert len(both) == 3136


def test_quadrant_holds_out_large_x_and_large_y_for_every_seed():
    train, test = split_positions("quadrant", 0)
    assert (test >= 32).all()
    assert not (train >= 32).all(dim=1).any()
    assert split_positions("quadrant", 1).test.equal(test)


def test_uniform_depends_on_the_seed_alone():
    one, again, other = (split_positions("uniform", seed).test for seed in (0, 0, 1))
    assert one.equal(again)
    assert not one.equal(other)


def test_squares_are_nine_pixels_wide_around_their_centres():
    images = squares(CORNERS)[:, 0]
    for image, (x, y) in zip(images, CORNERS.tolist(), strict=True):
        assert image.sum() == 81
        assert image[y - 4 : y + 5, x - 4 : x + 5].sum() == 81


def test_one_hot_images_and_pixel_numbers_agree():
    images = one_hot(CORNERS)
    assert images.flatten(1).argmax(1).equal(pixel_index(CORNERS))
    assert images.sum(dim=(1, 2, 3)).tolist() == [1, 1, 1, 1]
    assert images[1, 0, 4, 59] == 1  # row y, column x


def test_normalised_positions_match_the_coordinate_channels():
    assert normalise_positions(torch.tensor([[0, 63]])).tolist() == [[-1, 1]]
