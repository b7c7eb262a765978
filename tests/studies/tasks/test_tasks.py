"""Data, networks and judges of the studies, against values worked out by hand."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from coordconv_rl.errors import InputError
from coordconv_rl.studies import STUDIES, StudyOptions
from coordconv_rl.studies.options import SPLITS
from coordconv_rl.studies.tasks import coordinate_classification as classification
from coordconv_rl.studies.tasks import coordinate_regression as regression
from coordconv_rl.studies.tasks import rendering, translation
from coordconv_rl.studies.tasks.data import (
    all_positions,
    normalise_positions,
    one_hot,
    pixel_index,
    split_positions,
    squares,
)
from coordconv_rl.studies.tasks.networks import deconvolution_network, initialise
from coordconv_rl.studies.tasks.study import MODELS, load_study

CORNERS = torch.tensor([[4, 4], [59, 4], [4, 59], [31, 32]])


def count(network):
    return sum(p.numel() for p in network.parameters())


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


def test_classification_has_the_papers_parameter_count():
    # 4*32+32 + 32*32+32 + 32*64+64 + 64*64+64 + 64+1
    network = classification.build("coordconv", "uniform", classification.COORDCONV["uniform"], 0)
    assert count(network) == 7553


def test_regression_has_about_900_parameters():
    # 3*8+8 + 2*(8*8+8) + 9*8*8+8 + 9*8*2+2
    network = regression.build("coordconv", "uniform", regression.COORDCONV, 0)
    assert count(network) == 906


@pytest.mark.parametrize("kernel", [2, 3, 4])
@pytest.mark.parametrize("width", [1, 3])
def test_deconvolutions_reach_the_canvas_with_every_kernel(kernel, width):
    network = deconvolution_network(width, kernel)
    assert network(torch.zeros(2, 2)).shape == (2, 1, 64, 64)
    sizes = [2, 64 * width, 64 * width, 64 * width, 32 * width, 32 * width, 1]
    pairs = list(itertools.pairwise(sizes))
    weights = sum(a * b * kernel**2 + b for a, b in pairs) + 2 * sum(sizes[1:-1])
    assert count(network) == weights


@pytest.mark.parametrize("name", STUDIES)
@pytest.mark.parametrize("split", SPLITS)
def test_every_network_takes_its_data_and_gets_a_gradient_everywhere(name, split):
    study = load_study(name)
    assert study.name == name
    positions = split_positions(split, 0).train[::400]
    inputs, targets = study.data(positions, 0)
    for model in MODELS:
        setting = study.settings(model, split, False)[0]
        network = study.build(model, split, setting, 0)
        initialise(network, 0)
        outputs = network(inputs)
        study.loss(outputs, targets).backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
        assert study.judge(outputs, targets).shape == (len(inputs),)
        assert study.paint(outputs.detach(), targets).shape == (64, 64)


@pytest.mark.parametrize("name", STUDIES)
def test_the_control_differs_from_coordconv_in_geometry_alone(name):
    study = load_study(name)
    inputs, _ = study.data(CORNERS, 0)
    networks = []
    for model in ("coordconv", "shuffled"):
        network = study.build(model, "uniform", study.settings(model, "uniform", False)[0], 0)
        initialise(network, 5)
        networks.append(network)
    ours, control = networks
    for one, other in zip(ours.parameters(), control.parameters(), strict=True):
        assert one.equal(other)
    assert not ours(inputs).allclose(control(inputs))


def test_judge_of_classification():
    logits = torch.zeros(2, 1, 64, 64)
    logits[:, 0, 5, 7] = 1
    assert classification.judge(logits, torch.tensor([5 * 64 + 7, 0])).tolist() == [1, 0]


def test_judge_of_regression_is_a_distance_in_pixels():
    outputs = normalise_positions(torch.tensor([[10, 10]]))
    targets = normalise_positions(torch.tensor([[13, 14]]))
    assert regression.judge(outputs, targets).item() == pytest.approx(5, abs=1e-4)


def test_judge_of_rendering_is_intersection_over_union():
    # Squares shifted by one pixel share 72 pixels of 90.
    logits = squares(torch.tensor([[20, 20], [21, 20]])) * 2 - 1
    targets = squares(torch.tensor([[20, 20], [20, 20]]))
    assert rendering.judge(logits, targets).tolist() == pytest.approx([1.0, 72 / 90])


def test_translation_offers_squares_and_scattered_pixels_of_the_same_number():
    images, labels = translation.data(CORNERS, 0)
    assert images.shape == (8, 1, 64, 64)
    assert images.sum(dim=(1, 2, 3)).tolist() == [81] * 8
    assert labels[:, 0].tolist() == [1] * 4 + [0] * 4
    assert images[:4].equal(squares(CORNERS))
    assert not images[4:].equal(images[:4])
    assert translation.data(CORNERS, 0)[0].equal(images)
    assert translation.data(CORNERS[2:], 0)[0][2:].equal(images[6:])  # the position decides


def test_the_full_grid_is_the_papers():
    assert len(classification.paper_grid()) == 324
    full = classification.settings("convolution", "uniform", True)
    assert set(classification.BASELINE) <= set(full)
    assert len({setting.name for setting in full}) == len(full)


def test_options_refuse_what_makes_no_sense():
    for wrong in (
        {"seeds": 0},
        {"budget": 0.0},
        {"budget": float("nan")},
        {"threads": 0},
        {"split": "diagonal"},
    ):
        with pytest.raises(InputError, match=str(next(iter(wrong)))):
            StudyOptions(**wrong)


def test_names_and_options_need_no_torch():
    code = "import sys, coordconv_rl.studies as s; s.StudyOptions(); print('torch' in sys.modules)"
    path = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=path
    )
    assert done.stdout.strip() == "False", "importing the names loaded torch"
