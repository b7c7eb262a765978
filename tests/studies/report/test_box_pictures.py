"""Boxes are drawn where they are, and each digit's best proposal stands out."""

from __future__ import annotations

import pytest
import torch
from matplotlib.colors import to_hex
from small_study import SMALL, row

from coordconv_rl.studies.report import box_pictures
from coordconv_rl.studies.report.box_pictures import boxes_figure
from coordconv_rl.studies.training.records import save_drawn


@pytest.fixture
def axes(tmp_path):
    rows = [row("coordconv", [0.7], 2.0, 50), row("shuffled", [0.6], 2.0, 50)]
    folder = tmp_path / rows[0].results[0].unit
    folder.mkdir(parents=True)
    drawn = {
        "canvases": torch.rand(6, 64, 64),
        "truth": torch.tensor([[[20.0, 30.0, 10.0, 20.0], [0.0, 0.0, 0.0, 0.0]]]).repeat(6, 1, 1),
        "proposals": torch.tensor(
            [[[0.0, 0.0, 9.0, 9.0], [21.0, 15.0, 41.0, 25.0], [0.0, 0.0, 0.0, 0.0]]]
        ).repeat(6, 1, 1),
        "chances": torch.tensor([[0.75, 0.25, 0.0]]).repeat(6, 1),
    }
    save_drawn(folder, drawn)
    return boxes_figure(SMALL, "uniform", rows, tmp_path).axes


def test_boxes_have_their_places_and_colours(axes):
    frames = [(to_hex(p.get_edgecolor()), *p.get_bbox().bounds) for p in axes[0].patches]
    assert frames == [
        (box_pictures.OTHER, 0, 0, 9, 9),
        (box_pictures.BEST, 21, 15, 20, 10),
        (box_pictures.TRUTH, 20, 15, 20, 10),  # the empty proposal is not drawn
    ]


def test_a_box_is_as_faint_as_the_network_is_unsure(axes):
    assert [p.get_alpha() for p in axes[0].patches] == [0.75, 1, 1.0]


def test_models_without_boxes_yet_have_empty_places(axes):
    assert [axis.get_title(loc="left") for axis in axes[::6]] == [
        "coordconv: 0.700 px",
        "shuffled: 0.600 px",
    ]
    assert not axes[6].patches
