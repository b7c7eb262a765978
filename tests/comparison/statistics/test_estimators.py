"""Estimators: hand-computed cases, and rliable's own results."""

from __future__ import annotations

import math

import numpy as np
import pytest

from coordconv_rl.comparison.statistics import estimators

NAN = float("nan")


def table(*rows):
    return np.array(rows, dtype=float)


def scores(seed=0, runs=6, games=5):
    return np.random.default_rng(seed).gamma(2.0, 0.5, size=(runs, games))


def test_mean_and_median_are_over_games_of_means_over_runs():
    x = table([0, 10, 4], [2, 30, 4])  # games' means: 1, 20, 4
    assert estimators.mean(x) == pytest.approx(25 / 3)
    assert estimators.median(x) == 4
    assert estimators.median(x[:, :2]) == 10.5


def test_iqm_drops_a_quarter_of_the_runs_at_each_end():
    assert estimators.iqm(table([-100, 1], [2, 3], [4, 5], [6, 1000])) == pytest.approx(3.5)
    assert estimators.iqm(table([1], [2], [6])) == 3  # a quarter of three, rounded down, is none


def test_optimality_gap_clips_what_is_above_the_threshold():
    assert estimators.optimality_gap(table([0.5, 7.0], [0.0, 1.0])) == pytest.approx(1 - 2.5 / 4)
    assert estimators.optimality_gap(table([0.5, 7.0]), threshold=2.0) == pytest.approx(2 - 2.5 / 2)


def test_probability_of_improvement_counts_pairs_and_halves_ties():
    x, y = table([1, 5], [3, 5]), table([2, 5], [0, 5], [3, 5])
    assert estimators.improvement_by_game(x, y) == pytest.approx([3.5 / 6, 0.5])
    assert estimators.probability_of_improvement(x, y) == pytest.approx((3.5 / 6 + 0.5) / 2)


def test_probability_of_improvement_of_one_arm_over_the_other_and_back_sum_to_one():
    forth = estimators.probability_of_improvement(scores(1), scores(2))
    assert forth + estimators.probability_of_improvement(scores(2), scores(1)) == pytest.approx(1)


def test_performance_profile_is_the_share_above_each_threshold():
    profile = estimators.performance_profile(table([0, 1], [2, 3]), np.array([-1.0, 0, 1.5, 3]))
    assert profile == pytest.approx([1, 0.75, 0.5, 0])


def test_missing_runs_are_left_out_and_never_filled_in():
    x = table([1, 10], [3, NAN], [NAN, NAN])
    assert estimators.mean(x) == 6
    assert estimators.median(x) == 6
    # Weights are 1, 1 and 2: of 4 in all, one goes at each end, the half of the 10's.
    assert estimators.iqm(x) == pytest.approx((3 + 10) / 2)
    assert estimators.optimality_gap(x / 10) == pytest.approx(1 - ((0.1 + 0.3) / 2 + 1) / 2)
    assert estimators.performance_profile(x, np.array([2.0])) == pytest.approx([3 / 4])
    assert estimators.improvement_by_game(x, table([2, 0])) == pytest.approx([0.5, 1])
    nothing = np.full((2, 2), NAN)
    for estimator in (estimators.mean, estimators.median, estimators.iqm):
        assert math.isnan(estimator(nothing))


def test_a_game_with_fewer_runs_keeps_its_share():
    x = np.tile([0.1, 0.3, 0.5, 0.7, 0.9], (8, 1))
    fewer = x.copy()
    fewer[2:, 0] = NAN  # its hardest game has 2 of 8 runs: a mean of all runs would be 0.56
    assert estimators.iqm(fewer) == pytest.approx(estimators.iqm(x)) == pytest.approx(0.5)
    assert estimators.optimality_gap(fewer) == pytest.approx(0.5)
    at = np.array([0.0, 0.2, 0.6])
    assert estimators.performance_profile(fewer, at) == pytest.approx([1, 0.8, 0.4])
    both = np.stack([x, fewer, np.full_like(x, NAN)])
    np.testing.assert_allclose(estimators.iqm(both), [0.5, 0.5, NAN])


def test_paired_difference_wants_both_runs_of_a_pair():
    difference = estimators.paired_difference(table([5, NAN], [1, 2]), table([3, 1], [4, 2]))
    np.testing.assert_array_equal(difference, table([2, NAN], [-3, 0]))
    with pytest.raises(ValueError, match=r"\(2, 1\) and \(1, 1\)"):
        estimators.paired_difference(table([1], [2]), table([1]))


def test_sample_efficiency_stops_where_a_run_has_not_got_to():
    curves = np.stack([table([0], [2]), table([1], [3]), table([NAN], [4])])
    np.testing.assert_array_equal(estimators.sample_efficiency(curves), [1, 2, NAN])
    absent = np.concatenate([curves[:2], np.full((2, 1, 1), NAN)], axis=1)
    np.testing.assert_array_equal(estimators.sample_efficiency(absent), [1, 2])


@pytest.mark.parametrize("shape", [(3, 1), (5, 2), (10, 26), (7, 3)])
def test_estimators_agree_with_rliable(shape):
    pytest.importorskip("rliable", reason="rliable is not installed")
    from rliable import metrics

    x, y = scores(3, *shape), scores(4, *shape).round(1)
    x[0] = y[0]  # ties
    assert estimators.mean(x) == pytest.approx(metrics.aggregate_mean(x))
    assert estimators.median(x) == pytest.approx(metrics.aggregate_median(x))
    assert estimators.iqm(x) == pytest.approx(metrics.aggregate_iqm(x))
    assert estimators.optimality_gap(x) == pytest.approx(metrics.aggregate_optimality_gap(x))
    assert estimators.probability_of_improvement(x, y) == pytest.approx(
        metrics.probability_of_improvement(x, y)
    )
