"""Intervals, tests and power: hand-computed cases, the textbook's, and rliable's own results."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from coordconv_rl.comparison.statistics import bootstrap, estimators

NAN = float("nan")


def table(*rows):
    return np.array(rows, dtype=float)


def scores(seed=0, runs=6, games=5):
    return np.random.default_rng(seed).gamma(2.0, 0.5, size=(runs, games))


def test_profiles_and_intervals_agree_with_rliable():
    pytest.importorskip("rliable", reason="rliable is not installed")
    from rliable import library, metrics

    np.random.seed(0)  # rliable draws from numpy's global generator
    x, y, thresholds = scores(5), scores(6), np.linspace(0, 3, 7)
    profiles, bounds = library.create_performance_profile({"x": x}, thresholds, reps=2_000)
    rng = np.random.default_rng(0)
    ours = bootstrap.estimate(
        lambda drawn: estimators.performance_profile(drawn, thresholds), x, rng=rng
    )
    np.testing.assert_allclose(ours.value, profiles["x"])
    np.testing.assert_allclose([ours.low, ours.high], bounds["x"], atol=0.04)
    _, theirs = library.get_interval_estimates(
        {"iqm": x}, lambda drawn: np.array([metrics.aggregate_iqm(drawn)]), reps=4_000
    )
    ours = bootstrap.estimate(estimators.iqm, x, rng=rng, resamples=20_000)
    np.testing.assert_allclose([ours.low, ours.high], theirs["iqm"][:, 0], atol=0.03)
    _, theirs = library.get_interval_estimates(
        {"pair": [x, y]},
        lambda a, b: np.array([metrics.probability_of_improvement(a, b)]),
        reps=1_000,
    )
    ours = bootstrap.estimate(estimators.probability_of_improvement, x, y, rng=rng)
    np.testing.assert_allclose([ours.low, ours.high], theirs["pair"][:, 0], atol=0.03)


def test_the_same_generator_gives_the_same_interval():
    first, again, other = (
        bootstrap.estimate(estimators.iqm, scores(), rng=np.random.default_rng(seed))
        for seed in (1, 1, 2)
    )
    assert (first.low, first.high) == (again.low, again.high)
    assert (first.low, first.high) != (other.low, other.high)


def test_interval_of_the_mean_is_the_textbooks_for_many_runs():
    x = np.random.default_rng(7).normal(3, 2, size=(400, 1))
    found = bootstrap.estimate(estimators.mean, x, rng=np.random.default_rng(0), resamples=4_000)
    half = 1.96 * x.std() / math.sqrt(400)
    np.testing.assert_allclose(
        [found.low, found.high], [x.mean() - half, x.mean() + half], rtol=0.01
    )


def test_resamples_are_stratified_and_draw_only_runs_that_are_there():
    x = table([1, NAN, 100], [NAN, 10, 200], [2, 20, 300], [3, 30, NAN])
    means = []
    bootstrap.estimate(
        lambda drawn: (means.append(drawn), estimators.mean(drawn))[1],
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
    found = bootstrap.estimate(estimators.sample_efficiency, curves, rng=np.random.default_rng(3))
    np.testing.assert_allclose(found.low, found.low[0] + np.array([0, 10, 20]))
    monkeypatch.setattr(bootstrap, "_CHUNK", 50_000)
    pieces = bootstrap.estimate(estimators.sample_efficiency, curves, rng=np.random.default_rng(3))
    np.testing.assert_array_equal(found.low, pieces.low)


def test_no_interval_under_three_seeds_of_any_game():
    assert bootstrap.fewest_seeds(table([1, 1], [1, 1], [1, NAN])) == 2
    rng = np.random.default_rng(0)
    two = bootstrap.estimate(estimators.iqm, table([1, 1], [1, 2], [3, NAN]), rng=rng)
    assert two.low is None
    assert two.high is None
    assert two.value == pytest.approx(4 / 3)
    pair = (table([1], [2], [3]), table([1], [2]))
    assert bootstrap.estimate(estimators.probability_of_improvement, *pair, rng=rng).low is None


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
