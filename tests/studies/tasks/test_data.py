"""Not-so-Clevr, against values worked out by hand."""

from __future__ import annotations

import pytest
import torch

from coordconv_rl.errors import InputError
from coordconv_rl.studies import StudyOptions
from coordconv_rl.studies.options import POSITION_SPLITS
from coordconv_rl.studies.tasks.data import (
    all_positions,
    at_positions,
    normalise_positions,
    one_hot,
    pixel_index,
    position_splits,
    refuse_splits,
    split_positions,
    squares,
)

CORNERS = torch.tensor([[4, 4], [59, 4], [4, 59], [31, 32]])


def test_positions_are_those_of_not_so_clevr():
    positions = all_positions()
    assert positions.shape == (3136, 2)
    assert len(positions.unique(dim=0)) == 3136
    assert (positions.min().item(), positions.max().item()) == (4, 59)


@pytest.mark.parametrize("split", POSITION_SPLITS)
def test_splits_hold_a_quarter_out_for_each_purpose_and_share_nothing(split):
    parts = split_positions(split, seed=3)
    assert [len(part) for part in parts] == [1568, 784, 784]
    assert len(torch.cat(parts).unique(dim=0)) == 3136


def test_quadrant_holds_out_large_x_and_large_y_for_every_seed():
    train, validation, test = split_positions("quadrant", 0)
    assert (test >= 32).all()
    assert (validation < 32).all()  # the opposite one: extrapolation, too
    assert ((train >= 32).sum(dim=1) == 1).all()
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


def test_a_studys_data_is_drawn_at_the_positions_of_each_part():
    parts = at_positions(lambda positions, seed: (positions, positions + seed))("quadrant", 2, None)
    for (inputs, targets), positions in zip(parts, split_positions("quadrant", 2), strict=True):
        assert inputs.equal(positions)
        assert targets.equal(positions + 2)


def test_splits_that_were_asked_for(tmp_path):
    assert position_splits(StudyOptions()) == ("uniform", "quadrant")
    assert position_splits(StudyOptions(split="quadrant")) == ("quadrant",)
    with pytest.raises(InputError, match="--mnist"):
        position_splits(StudyOptions(mnist=tmp_path))
    with pytest.raises(InputError, match="detection holds out no positions"):
        refuse_splits(StudyOptions(split="quadrant"), "detection")
