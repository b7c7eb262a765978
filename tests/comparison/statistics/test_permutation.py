"""The permutation test: by hand, by SciPy's exact tests, and by drawing."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from coordconv_rl.comparison.statistics import estimators, permutation
from coordconv_rl.comparison.statistics.permutation import permutation_p_value

NAN = float("nan")
RNG = np.random.default_rng(0)


def column(*values):
    return np.array(values, dtype=float)[:, None]


def brute(x, y):
    """Count all ways to hand out the scores of every game."""
    spread = []
    for game in range(x.shape[1]):
        both = np.concatenate([x[:, game], y[:, game]])
        ways = []
        for chosen in combinations(range(len(both)), len(x)):
            mask = np.isin(np.arange(len(both)), chosen)
            mine, other = both[mask, None], both[~mask, None]
            ways.append(float(estimators.improvement_by_game(mine, other)[0]))
        spread.append(ways)
    sums = np.add.outer(spread[0], spread[1]).ravel() / 2 if len(spread) == 2 else spread[0]
    found = abs(float(estimators.probability_of_improvement(x, y)) - 0.5)
    return float((np.abs(np.array(sums) - 0.5) >= found - 1e-9).mean())


def test_three_against_three_by_hand():
    assert permutation_p_value(column(4, 5, 6), column(1, 2, 3), rng=RNG) == pytest.approx(2 / 20)
    # two of nine pairs are lost: 0, 1 or 2 inversions, 1 + 1 + 2 of 20 ways, on either side
    assert permutation_p_value(column(3, 4, 6), column(1, 2, 5), rng=RNG) == pytest.approx(8 / 20)
    assert permutation_p_value(column(1, 1, 1), column(1, 1, 1), rng=RNG) == pytest.approx(1)


def test_one_game_is_mann_and_whitneys_exact_test():
    x, y = np.random.default_rng(1).normal(size=(2, 10))
    theirs = stats.mannwhitneyu(x, y[:8], method="exact").pvalue
    assert permutation_p_value(x[:, None], y[:8, None], rng=RNG) == pytest.approx(theirs)


@pytest.mark.parametrize(("ours", "theirs"), [(4, 4), (3, 5)])
def test_games_and_ties_are_counted_exactly(ours, theirs):
    rng = np.random.default_rng(2)
    x, y = rng.integers(1, 6, size=(ours, 2)) + 1.0, rng.integers(0, 5, size=(theirs, 2)) + 0.0
    assert permutation_p_value(x, y, rng=RNG) == pytest.approx(brute(x, y))
    assert permutation_p_value(x[:, :1], y[:, :1], rng=RNG) == pytest.approx(
        brute(x[:, :1], y[:, :1])
    )


def test_drawn_permutations_agree_with_counted_ones(monkeypatch):
    rng = np.random.default_rng(3)
    x, y = rng.normal(0.4, 1, size=(10, 5)), rng.normal(size=(10, 5))
    counted = permutation_p_value(x, y, rng=RNG)
    monkeypatch.setattr(permutation, "EXACT_STEPS", 0)
    drawn = permutation_p_value(x, y, rng=np.random.default_rng(4))
    assert counted == pytest.approx(drawn, abs=4 * math.sqrt(counted / permutation.PERMUTATIONS))
    assert permutation_p_value(x + 99, y, rng=RNG) == 1 / (1 + permutation.PERMUTATIONS)


def test_missing_runs_are_left_out():
    x, y = np.array([[4, 9, 1], [5, NAN, 1], [6, 8, NAN]]), np.array([[1, 7, NAN], [2, 3, NAN]])
    small = permutation_p_value(x, y, rng=RNG)
    # 3 against 2 and 2 against 2: of 10 * 6 ways, the one found and its mirror image
    assert small == pytest.approx(2 / 60)
    assert math.isnan(permutation_p_value(x[:, 2:], y[:, 2:], rng=RNG))


def test_it_holds_its_level_where_arms_are_alike():
    rng = np.random.default_rng(5)
    found = [permutation_p_value(*rng.normal(size=(2, 5, 3)), rng=rng) for _ in range(400)]
    assert np.mean(np.array(found) <= 0.05) == pytest.approx(0.05, abs=0.035)
