"""What a study's TensorBoard run holds."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest
from small_study import SMALL
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from coordconv_rl.studies.training.records import Point
from coordconv_rl.studies.training.tensorboard import Board


def read(folder):
    events = EventAccumulator(str(folder), size_guidance={"images": 0})
    events.Reload()
    return events


def test_points_pictures_and_tables(tmp_path):
    with closing(Board(tmp_path)) as board:
        point = Point(seconds=2.5, step=7, epoch=0.5, loss=0.25, train=0.5, test=0.75)
        board.point(SMALL.measure, point)
        board.picture("some", np.zeros((4, 6, 3), np.uint8))
        board.table("results", "| a |")
    events = read(tmp_path)
    scalars = {tag: events.Scalars(tag)[0] for tag in events.Tags()["scalars"]}
    assert {tag: scalar.value for tag, scalar in scalars.items()} == pytest.approx(
        {"error/train": 0.5, "error/test": 0.75, "training/loss": 0.25, "training/seconds": 2.5}
    )
    assert {scalar.step for scalar in scalars.values()} == {7}
    (image,) = events.Images("some")
    assert (image.width, image.height) == (6, 4)
    assert "results/text_summary" in events.Tags()["tensors"]


def test_events_of_an_earlier_attempt_are_hidden_from_a_step_on(tmp_path):
    for purge, steps in ((None, (1, 5)), (3, (3, 4))):
        with closing(Board(tmp_path, purge_step=purge)) as board:
            for step in steps:
                board.point(SMALL.measure, Point(1.0, step, 0.1, 0.2, 0.3, float(step)))
    found = [(scalar.step, scalar.value) for scalar in read(tmp_path).Scalars("error/test")]
    assert found == [(1, 1.0), (3, 3.0), (4, 4.0)]
