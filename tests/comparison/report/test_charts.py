"""Learning curves where seeds differ in length: means by hand."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure
from synthetic import SMALL, make_experiment

from coordconv_rl.comparison.report.charts import (
    draw_efficiency,
    draw_iqm,
    draw_learning_curves,
    draw_profile,
    gaps,
    mean_lines,
)
from coordconv_rl.comparison.results import read_results
from coordconv_rl.comparison.statistics import ArmEstimates, Estimate

NAN = np.nan


def test_the_line_ends_where_a_seed_ends_and_a_thin_one_goes_on():
    rows = np.array(
        [
            [NAN, 1.0, 2.0, 3.0, NAN, NAN],
            [NAN, 3.0, 6.0, 5.0, 9.0, 9.0],
            [4.0, 5.0, 1.0, 7.0, 3.0, NAN],
        ]
    )
    whole, part, low, high = mean_lines(rows)
    np.testing.assert_array_equal(whole, [NAN, 3.0, 3.0, 5.0, NAN, NAN])
    np.testing.assert_array_equal(part, [4.0, 3.0, NAN, 5.0, 6.0, 9.0])
    np.testing.assert_array_equal(low, [NAN, 1.0, 1.0, 3.0, NAN, NAN])
    np.testing.assert_array_equal(high, [NAN, 5.0, 6.0, 7.0, NAN, NAN])


def test_seeds_of_one_length_have_no_thin_line_and_none_has_no_line():
    whole, part, low, high = mean_lines(np.array([[NAN, 1.0, 2.0], [NAN, 3.0, 8.0]]))
    np.testing.assert_array_equal(whole, [NAN, 2.0, 5.0])
    np.testing.assert_array_equal([part, low, high], [[NAN] * 3, [NAN, 1, 2], [NAN, 3, 8]])
    assert all(np.isnan(line).all() for line in mean_lines(np.empty((0, 4))))


@pytest.mark.filterwarnings("error")
def test_the_legend_says_how_many_seeds_are_behind_a_line(tmp_path):
    states = {
        ("cnn", 2): "failed",
        **dict.fromkeys((("shuffled", n) for n in (1, 2, 3)), "waiting"),
    }
    make_experiment(tmp_path, lambda key: states.get(key[2:], "done"), **SMALL)
    axes = Figure().subplots()
    draw_learning_curves(axes, read_results(tmp_path), "ppo", "Pong")
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == [
        "cnn (3 seeds; 2 where thin)",
        "coordconv (3 seeds)",
        "shuffled (no game yet)",
    ]
    cnn, thin = axes.get_lines()[:2]
    end = cnn.get_xdata()[~np.isnan(cnn.get_ydata())].max()
    assert end == 40_000  # where the failed seed stopped
    assert thin.get_xdata()[~np.isnan(thin.get_ydata())].min() == end


def test_a_chart_without_any_game_says_so(tmp_path):
    make_experiment(tmp_path, lambda key: "waiting", **SMALL)
    axes = Figure().subplots()
    draw_learning_curves(axes, read_results(tmp_path), "ppo", "Pong")
    assert [text.get_text() for text in axes.texts] == ["no training game has ended"]


def test_gaps_are_between_known_points_only():
    assert gaps(np.array([NAN, 1.0, NAN, NAN, 2.0, 3.0, NAN])) == [(1, 4)]
    assert gaps(np.array([NAN, NAN])) == []
    assert gaps(np.array([1.0, 2.0])) == []


def test_a_line_with_a_hole_is_joined_by_dots():
    line = np.array([1.0, NAN, 3.0])
    own = ArmEstimates(*(Estimate(line, None, None),) * 8)
    axes = Figure().subplots()
    draw_efficiency(axes, np.array([10.0, 20.0, 30.0]), {"cnn": own}, "min-max")
    drawn, dots = axes.get_lines()
    assert np.isnan(drawn.get_ydata()[1])
    assert (list(dots.get_xdata()), list(dots.get_ydata())) == ([10.0, 30.0], [1.0, 3.0])
    assert dots.get_linestyle() != "-"


def test_no_bar_touches_the_edge_of_the_axes():
    own = ArmEstimates(*(Estimate(*map(np.array, (0.5, 0.1, 0.9))),) * 8)
    axes = Figure().subplots()
    draw_iqm(axes, {"cnn": own}, "min-max")
    assert axes.get_xlim()[0] < 0.1
    assert axes.get_xlim()[1] > 0.9


@pytest.mark.parametrize(("reached", "end"), [(10, 0.12), (95, 1.0), (0, 0.01)])
def test_the_profile_ends_a_little_after_the_last_score(reached, end):
    thresholds = np.linspace(-0.01, 1.0, 102)  # steps of 0.01
    share = np.where(np.arange(102) <= reached, 0.3, 0.0)
    band = Estimate(np.minimum(share, 0.1) * (np.arange(102) < 5), np.zeros(102), share)
    axes = Figure().subplots()
    draw_profile(axes, thresholds, {"cnn": ArmEstimates(*(band,) * 8)}, "human-normalised")
    assert axes.get_xlim() == pytest.approx((-0.01, end))
