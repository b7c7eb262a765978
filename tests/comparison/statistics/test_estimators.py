"""Estimators and intervals: hand-computed cases, and rliable's own results."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from coordconv_rl.comparison.statistics import bootstrap
from coordconv_rl.comparison.statistics import estimators as statistics

NAN = float("nan")


def table(*rows):
    return np.array(rows, dtype=float)


def scores(seed=0, runs=6, games=5):
    return np.random.default_rng(seed).gamma(2.0, 0.5, size=(runs, games))


def test_mean_and_median_are_over_games_of_means_over_runs():
    x = table([0, 10, 4], [2, 30, 4])  # games' means: 1, 20, 4
    assert statistics.mean(x) == pytest.approx(25 / 3)
    assert statistics.median(x) == 4
    assert statistics.median(x[:, :2]) == 10.5


def test_iqm_drops_a_quarter_of_the_runs_at_each_end():
    assert statistics.iqm(table([-100, 1], [2, 3], [4, 5], [6, 1000])) == pytest.approx(3.5)
    assert statistics.iqm(table([1], [2], [6])) == 3  # a quarter of three, rounded down, is none


def test_optimality_gap_clips_what_is_above_the_threshold():
    assert statistics.optimality_gap(table([0.5, 7.0], [0.0, 1.0])) == pytest.approx(1 - 2.5 / 4)
    assert statistics.optimality_gap(table([0.5, 7.0]), threshold=2.0) == pytest.approx(2 - 2.5 / 2)


def test_probability_of_improvement_counts_pairs_and_halves_ties():
    x, y = table([1, 5], [3, 5]), table([2, 5], [0, 5], [3, 5])
    assert statistics.improvement_by_game(x, y) == pytest.approx([3.5 / 6, 0.5])
    assert statistics.probability_of_improvement(x, y) == pytest.approx((3.5 / 6 + 0.5) / 2)


def test_probability_of_improvement_of_one_arm_over_the_other_and_back_sum_to_one():
    forth = statistics.probability_of_improvement(scores(1), scores(2))
    assert forth + statistics.probability_of_improvement(scores(2), scores(1)) == pytest.approx(1)


def test_performance_profile_is_the_share_above_each_threshold():
    profile = statistics.performance_profile(table([0, 1], [2, 3]), np.array([-1.0, 0, 1.5, 3]))
    assert profile == pytest.approx([1, 0.75, 0.5, 0])


def test_missing_runs_are_left_out_and_never_filled_in():
    x = table([1, 10], [3, NAN], [NAN, NAN])
    assert statistics.mean(x) == 6
    assert statistics.median(x) == 6
    assert statistics.iqm(x) == pytest.approx(14 / 3)
    assert statistics.optimality_gap(x / 10) == pytest.approx(1 - (0.1 + 0.3 + 1) / 3)
    assert statistics.performance_profile(x, np.array([2.0])) == pytest.approx([2 / 3])
    assert statistics.improvement_by_game(x, table([2, 0])) == pytest.approx([0.5, 1])
    nothing = np.full((2, 2), NAN)
    for estimator in (statistics.mean, statistics.median, statistics.iqm):
        assert math.isnan(estimator(nothing))


def test_paired_difference_wants_both_runs_of_a_pair():
    difference = statistics.paired_difference(table([5, NAN], [1, 2]), table([3, 1], [4, 2]))
    np.testing.assert_array_equal(difference, table([2, NAN], [-3, 0]))
    with pytest.raises(ValueError, match=r"\(2, 1\) and \(1, 1\)"):
        statistics.paired_difference(table([1], [2]), table([1]))


def test_sample_efficiency_stops_where_a_run_has_not_got_to():
    curves = np.stack([table([0], [2]), table([1], [3]), table([NAN], [4])])
    np.testing.assert_array_equal(statistics.sample_efficiency(curves), [1, 2, NAN])
    absent = np.concatenate([curves[:2], np.full((2, 1, 1), NAN)], axis=1)
    np.testing.assert_array_equal(statistics.sample_efficiency(absent), [1, 2])


@pytest.mark.parametrize("shape", [(3, 1), (5, 2), (10, 26), (7, 3)])
def test_estimators_agree_with_rliable(shape):
    pytest.importorskip("rliable", reason="rliable is not installed")
    from rliable import metrics

    x, y = scores(3, *shape), scores(4, *shape).round(1)
    x[0] = y[0]  # ties
    assert statistics.mean(x) == pytest.approx(metrics.aggregate_mean(x))
    assert statistics.median(x) == pytest.approx(metrics.aggregate_median(x))
    assert statistics.iqm(x) == pytest.approx(metrics.aggregate_iqm(x))
    assert statistics.optimality_gap(x) == pytest.approx(metrics.aggregate_optimality_gap(x))
    assert statistics.probability_of_improvement(x, y) == pytest.approx(
        metrics.probability_of_improvement(x, y)
    )


def test_profiles_and_intervals_agree_with_rliable():
    pytest.importorskip("rliable", reason="rliable is not installed")
    from rliable import library, metrics

    np.random.seed(0)  # rliable draws from numpy's global generator
    x, y, thresholds = scores(5), scores(6), np.linspace(0, 3, 7)
    profiles, bounds = library.create_performance_profile({"x": x}, thresholds, reps=2_000)
    rng = np.random.default_rng(0)
    ours = bootstrap.estimate(
        lambda drawn: statistics.performance_profile(drawn, thresholds), x, rng=rng
    )
    np.testing.assert_allclose(ours.value, profiles["x"])
    np.testing.assert_allclose([ours.low, ours.high], bounds["x"], atol=0.04)
    _, theirs = library.get_interval_estimates(
        {"iqm": x}, lambda drawn: np.array([metrics.aggregate_iqm(drawn)]), reps=4_000
    )
    ours = bootstrap.estimate(statistics.iqm, x, rng=rng, resamples=20_000)
    np.testing.assert_allclose([ours.low, ours.high], theirs["iqm"][:, 0], atol=0.03)
    _, theirs = library.get_interval_estimates(
        {"pair": [x, y]},
        lambda a, b: np.array([metrics.probability_of_improvement(a, b)]),
        reps=1_000,
    )
    ours = bootstrap.estimate(statistics.probability_of_improvement, x, y, rng=rng)
    np.testing.assert_allclose([ours.low, ours.high], theirs["pair"][:, 0], atol=0.03)


def test_the_same_generator_gives_the_same_interval():
    first, again, other = (
        bootstrap.estimate(statistics.iqm, scores(), rng=np.random.default_rng(seed))
        for seed in (1, 1, 2)
    )
    assert (first.low, first.high) == (again.low, again.high)
    assert (first.low, first.high) != (other.low, other.high)


def test_interval_of_the_mean_is_the_textbooks_for_many_runs():
    x = np.random.default_rng(7).normal(3, 2, size=(400, 1))
    found = bootstrap.estimate(statistics.mean, x, rng=np.random.default_rng(0), resamples=4_000)
    half = 1.96 * x.std() / math.sqrt(400)
    np.testing.assert_allclose(
        [found.low, found.high], [x.mean() - half, x.mean() + half], rtol=0.01
    )


def test_resamples_are_stratified_and_draw_only_runs_that_are_there():
    x = table([1, NAN, 100], [NAN, 10, 200], [2, 20, 300], [3, 30, NAN])
    means = []
    bootstrap.estimate(
        lambda drawn: (means.append(drawn), statistics.mean(drawn))[1],
        x,
        rng=np.random.default_rng(0),
    )
    drawn = means[1]
    assert drawn.shape == (bootstrap.RESAMPLES, 4, 3)
    for game in range(3):
        values = drawn[:, :, game]
        assert set(values[~np.isnan(values)]) == set(x[~np.isnan(x[:, game]), game])
        assert (np.isnan(values).sum(axis=1) == 1).all()


def test_a_curve_is_drawn_whole_and_chunks_change_nothing_but_memory(monkeypatch):
    curves = np.stack([scores(), scores() + 10, scores() + 20])
    found = bootstrap.estimate(statistics.sample_efficiency, curves, rng=np.random.default_rng(3))
    np.testing.assert_allclose(found.low, found.low[0] + np.array([0, 10, 20]))
    monkeypatch.setattr(bootstrap, "_CHUNK", 50_000)
    pieces = bootstrap.estimate(statistics.sample_efficiency, curves, rng=np.random.default_rng(3))
    np.testing.assert_array_equal(found.low, pieces.low)


def test_no_interval_under_three_seeds_of_any_game():
    assert bootstrap.fewest_seeds(table([1, 1], [1, 1], [1, NAN])) == 2
    rng = np.random.default_rng(0)
    two = bootstrap.estimate(statistics.iqm, table([1, 1], [1, 2], [3, NAN]), rng=rng)
    assert two.low is None
    assert two.high is None
    assert two.value == pytest.approx(4 / 3)
    pair = (table([1], [2], [3]), table([1], [2]))
    assert bootstrap.estimate(statistics.probability_of_improvement, *pair, rng=rng).low is None


def test_p_values_are_welchs_and_missing_where_nothing_can_be_tested():
    x, y = table([1, 1, 1], [2, 1, 2], [4, 1, NAN]), table([5, 1, 1], [6, 1, 2], [9, 1, 3])
    found = bootstrap.p_values_by_game(x, y)
    assert found[0] == pytest.approx(stats.ttest_ind(x[:, 0], y[:, 0], equal_var=False).pvalue)
    assert np.isnan(found[1:]).all()  # no spread; two seeds


def test_holm_by_hand():
    adjusted = bootstrap.holm(np.array([0.01, 0.04, NAN, 0.03, 0.9]))
    np.testing.assert_allclose(adjusted, [0.04, 0.09, NAN, 0.09, 0.9])


def test_seeds_needed_is_the_textbooks_for_one_game():
    # Cohen's d of 0.5 at 5% and 80% power: 64 a group (Cohen 1988, table 2.4.1)
    spread = np.array([-1.0, 0, 1])  # variance 1
    assert bootstrap.seeds_needed((spread + 0.5)[:, None], spread[:, None]) == 64
    assert bootstrap.seeds_needed(spread[:, None], spread[:, None]) is None
    assert bootstrap.seeds_needed(spread[:2, None] + 1, spread[:2, None]) is None


def test_more_games_need_fewer_seeds():
    spread = np.tile(np.array([[-1.0], [0], [1]]), (1, 4))
    assert bootstrap.seeds_needed(spread + 0.5, spread) < 64 / 3
