"""The baseline's times against CoordConv's, computed by hand."""

from __future__ import annotations

import dataclasses
import math

import pytest
from small_study import SETTING, SMALL, row

from coordconv_rl.studies.report.ratios import ratio_lines, ratios
from coordconv_rl.studies.report.results import Row
from coordconv_rl.studies.tasks import coordinate_regression
from coordconv_rl.studies.training.records import Point, Result

MEASURE = coordinate_regression.STUDY.measure  # lower is better


def curve(seed, values, seconds, parameters):
    """A training that is judged every few seconds."""
    result = Result("unit", {}, seed, parameters, status="done", seconds=seconds * len(values))
    for step, value in enumerate(values, 1):
        result.add(Point(seconds * step, step, step, 0.0, value, value), MEASURE)
    return result


def rows(ours, theirs):
    return [
        Row("uniform", model, SETTING, (), tuple(results), len(results))
        for model, results in (("coordconv", ours), ("convolution", theirs))
    ]


def test_times_are_of_the_same_seed():
    ours = [curve(0, [9.0, 0.5], 1.0, 50), curve(1, [1.0, 0.5, 0.25], 1.0, 50)]
    theirs = [curve(1, [5.0, 1.0, 2.0], 10.0, 1000), curve(0, [5.0, 6.0, 2.0], 10.0, 1000)]
    (ratio,) = ratios(SMALL, rows(ours, theirs))
    assert ratio.own_best == pytest.approx((20 / 3, 30 / 2))  # seed 1, then seed 0
    assert ratio.same_value == pytest.approx((20 / 1, 30 / 2))
    assert ratio.parameters == 20
    assert not ratio.reached
    assert (ratio.given, ratio.bound) == (30, 12)
    assert ratio.show_bound() == "over 12.0: not reached in 30 s"


def test_a_baseline_that_is_as_good_sets_no_lower_bound():
    (ratio,) = ratios(SMALL, rows([curve(0, [0.5], 2.0, 50)], [curve(0, [1.0, 0.5], 4.0, 50)]))
    assert ratio.reached
    assert ratio.show_bound() == "reached within 4.0"
    assert ratio.value == 1.0


def test_a_baseline_that_diverged_reached_nothing():
    ours, theirs = curve(0, [0.5], 2.0, 50), curve(0, [math.nan], 4.0, 50)
    (ratio,) = ratios(SMALL, rows([ours], [theirs]))
    assert not ratio.reached
    assert ratio.same_value == ()


def test_against_a_coordconv_that_diverged_nothing_is_compared():
    ours, theirs = curve(0, [math.nan], 2.0, 50), curve(0, [0.5], 4.0, 50)
    (ratio,) = ratios(SMALL, rows([ours], [theirs]))
    assert ratio.show_bound() == "no comparison: a seed of CoordConv diverged"
    assert ratio.value is None


def test_a_seed_where_coordconv_is_worse_has_no_time_to_the_same_value():
    ours = [curve(0, [3.0], 1.0, 50), curve(1, [0.5], 1.0, 50), curve(2, [9.0], 1.0, 50)]
    theirs = [curve(0, [2.0], 4.0, 50), curve(1, [2.0], 4.0, 50)]
    lines = ratio_lines(SMALL, ratios(SMALL, rows(ours, theirs)))[1]
    assert lines[0][2] == "4.0 ± 0.0"
    assert lines[1][2] == "4.0 (1 of 2 seeds)"
    lines = ratio_lines(SMALL, ratios(SMALL, rows(ours[:1], theirs[:1])))[1]
    assert lines[1][2] == "CoordConv never as good"


def test_a_value_of_0_has_no_ratio():
    found = [row("coordconv", [0.1], 2.0, 50), row("convolution", [0.0, 0.0], 8.0, 1000)]
    assert ratios(SMALL, found)[0].value is None


def test_the_ratio_of_values_stands_beside_the_papers():
    found = [row("coordconv", [0.1, 0.3], 2.0, 50), row("convolution", [0.2], 8.0, 1000)]
    paper = dataclasses.replace(SMALL.paper, value_ratio="1.24", time_ratio="150")
    _, lines = ratio_lines(dataclasses.replace(SMALL, paper=paper), ratios(SMALL, found))
    assert lines[0][-1] == "150"
    assert lines[-1] == ["uniform", "error, CoordConv / convolution", "1.00", "1.24"]
    _, without = ratio_lines(SMALL, ratios(SMALL, found))
    assert len(without) == len(lines) - 1
