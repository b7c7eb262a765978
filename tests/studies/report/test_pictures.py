"""The pictures of a study: which there are, and what the curves show."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image
from small_study import SMALL, row

from coordconv_rl.studies.report.pictures import canvas_figure, curve_figure, draw_all, pixels
from coordconv_rl.studies.training.records import save_drawn


@pytest.fixture
def rows(tmp_path):
    found = [row("coordconv", [0.1, 0.3], 2.0, 50), row("convolution", [0.2], 8.0, 1000)]
    folder = tmp_path / found[0].results[0].unit
    folder.mkdir(parents=True)
    save_drawn(folder, {"canvases": torch.rand(2, 64, 64)})
    return found


def test_each_split_has_a_canvas_and_curves(tmp_path, rows):
    figures = draw_all(SMALL, rows, tmp_path)
    assert list(figures) == ["uniform-canvas.png", "uniform-curves.png"]
    for name in figures:
        assert min(Image.open(tmp_path / name).size) > 300


def test_the_canvas_shows_all_positions_and_leaves_out_what_is_missing(tmp_path, rows):
    axes = canvas_figure(SMALL, "uniform", rows, tmp_path).axes
    titles = [axis.get_title() for axis in axes]
    assert titles[0] == "train: 2352 positions"
    assert titles[3] == "test: 784 positions"
    assert titles[1] == "coordconv, train: 0.100 px"
    assert not axes[2].axison  # the baseline has kept nothing
    assert axes[0].images[0].get_array().sum() == 2352


def test_curves_have_a_line_a_seed_and_the_goal(rows):
    axes = curve_figure(SMALL, "uniform", rows).axes[0]
    assert len(axes.lines) == 3 + 1
    assert axes.get_ylabel() == "test error (px)"
    assert axes.get_yscale() == "log"  # lower is better


def test_without_a_goal_there_is_no_line_for_it(rows):
    measure = dataclasses.replace(SMALL.measure, goal=None)
    axes = curve_figure(dataclasses.replace(SMALL, measure=measure), "uniform", rows).axes[0]
    assert len(axes.lines) == 3


def test_pixels_are_bytes_of_three_colours(rows):
    image = pixels(curve_figure(SMALL, "uniform", rows))
    assert image.dtype == np.uint8
    assert image.ndim == 3
    assert image.shape[2] == 3
