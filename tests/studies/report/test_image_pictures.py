"""Generated images, laid out, and where objects are in them."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from small_study import row

from coordconv_rl.studies.report.image_pictures import GAP, image_figures, tile
from coordconv_rl.studies.tasks import load_study
from coordconv_rl.studies.training.records import save_drawn


def test_images_are_laid_out_line_by_line():
    values = torch.tensor([0, 51, 255], dtype=torch.uint8)
    images = values[:, None, None, None].expand(-1, 3, 4, 4)
    grid = tile(images, 2)
    assert grid.shape == (2 * (4 + GAP) + GAP, 2 * (4 + GAP) + GAP, 3)
    assert (grid[2:6, 2:6] == 0).all()
    assert (grid[2:6, 8:12] == 0.2).all()
    assert (grid[8:12, 2:6] == 1).all()
    assert (grid[8:12, 8:12] == 0.6).all()  # nothing there


@pytest.fixture
def figures(tmp_path):
    rows = [small("coordconv", 0.7), small("convolution", 0.6)]
    centres = torch.full((10, 2, 2), torch.nan)
    centres[:5, 0] = torch.tensor([6.0, 30.0])  # red in half of them, at x 6, y 30
    folder = tmp_path / rows[0].results[0].unit
    folder.mkdir(parents=True)
    images = torch.zeros(24, 3, 32, 32, dtype=torch.uint8)
    drawn = {
        "images": images,
        "real": images.clone(),
        "between": torch.zeros(4, 8, 3, 32, 32, dtype=torch.uint8),
        "centres": centres,
        "real_centres": torch.full((10, 2, 2), 16.0),
    }
    save_drawn(folder, drawn)
    return image_figures(load_study("generation"), "32x32", rows, tmp_path)


def small(model, value):
    return dataclasses.replace(row(model, [value], 2.0, 50), split="32x32")


def test_samples_and_interpolations_have_a_row_a_model_that_has_some(figures):
    names = {kind: [a.get_title(loc="left") for a in f.axes] for kind, f in figures.items()}
    assert names["samples"] == ["real", "coordconv"]
    assert names["interpolations"] == ["coordconv"]


def test_histograms_count_centres_where_they_are(figures):
    axes = figures["centres"].axes
    assert [axis.get_title() for axis in axes] == [
        "real, red: in 100%",
        "coordconv, red: in 50%",
        "real, blue: in 100%",
        "coordconv, blue: in 0%",
    ]
    counts = axes[1].images[0].get_array()
    assert counts.sum() == 5
    assert counts.shape == (33, 33)  # a bin around each whole number of 0 to 32
    assert counts[30, 6] == 5  # row of y 30, column of x 6
    assert axes[3].images[0].get_array().sum() == 0


def test_nothing_kept_nothing_drawn(tmp_path):
    rows = [small("coordconv", 0.7)]
    assert image_figures(load_study("generation"), "32x32", rows, tmp_path) == {}
