"""One arm against another: estimates by hand, and correction for the number of pairs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from coordconv_rl.comparison.statistics.bootstrap import seeds_needed
from coordconv_rl.comparison.statistics.pairs import compare_arms, correct
from coordconv_rl.comparison.statistics.permutation import permutation_p_value
from coordconv_rl.comparison.statistics.scores import Scores

NAN = float("nan")
GAMES = ("one", "two", "three")


def arm(*rows):
    raw = np.array(rows, dtype=float)
    scaled = raw / 10
    scaled[:, 2] = NAN  # the third game has no scale
    return Scores(raw, np.full_like(raw, NAN), scaled, int(np.isfinite(raw).sum()), raw.size)


X = arm([4, 8, 1], [5, 9, 2], [6, 7, 3])
Y = arm([1, 7, NAN], [2, 9, NAN], [3, 8, NAN])


def test_estimates_by_hand():
    pair = compare_arms(GAMES, ("x", "y"), (X, Y), (Y.raw, X.raw))
    assert (pair.games, pair.seeds) == (("one", "two"), 3)
    assert pair.improvement_by_game == pytest.approx([1.0, 0.5])
    assert pair.improvement.value == pytest.approx(0.75)
    assert pair.area_improvement.value == pytest.approx(0.25)
    # one: 0.3 in both the mean and the middle; two: the same three scores
    assert pair.mean_difference.value == pytest.approx(0.15)
    assert pair.iqm_difference.value == pytest.approx(0.65 - 0.5)  # .5 .6 .7 .8, .2 .3 .7 .8
    assert -0.2 < pair.mean_difference.low <= 0.15 <= pair.mean_difference.high < 0.5
    tested = permutation_p_value(X.raw[:, :2], Y.raw[:, :2], rng=np.random.default_rng(0))
    assert pair.p == tested
    assert [float(one.value) for one in pair.paired_by_game] == pytest.approx([3.0, 0.0])


def test_differences_leave_games_of_a_tiny_range_out_and_ranks_do_not():
    whole = compare_arms(GAMES, ("x", "y"), (X, Y), (Y.raw, X.raw))
    pair = compare_arms(GAMES, ("x", "y"), (X, Y), (Y.raw, X.raw), {"one", "three", "another"})
    assert (whole.left_out, pair.left_out) == ((), ("one",))  # the third has no scale anyway
    assert (pair.games, pair.improvement) == (whole.games, whole.improvement)
    assert pair.mean_difference.value == 0  # of "two" alone, of the same three scores
    assert pair.iqm_difference.value == 0
    assert (whole.seeds_needed, pair.seeds_needed) == (
        seeds_needed(X.scaled[:, :2], Y.scaled[:, :2]),
        seeds_needed(X.scaled[:, [1]], Y.scaled[:, [1]]),
    )
    assert whole.seeds_needed != pair.seeds_needed
    assert (whole.scaled_games, pair.scaled_games) == (("one", "two"), ("two",))
    alone = compare_arms(GAMES, ("x", "y"), (X, Y), (Y.raw, X.raw), {"one", "two"})
    assert (alone.left_out, alone.mean_difference) == ((), whole.mean_difference)


def test_the_mean_differences_interval_is_the_bootstraps_of_both_arms():
    rng = np.random.default_rng(0)
    left, right = (
        Scores(own, own, own, own.size, own.size) for own in rng.normal(size=(2, 200, 1))
    )
    pair = compare_arms(("one",), ("x", "y"), (left, right), (left.raw, right.raw))
    error = np.sqrt(left.raw.var() / 200 + right.raw.var() / 200)
    width = (pair.mean_difference.high - pair.mean_difference.low) / 2
    assert width == pytest.approx(1.96 * error, rel=0.06)


def test_arms_that_share_no_game_are_not_compared():
    other = arm([NAN, NAN, 1], [NAN, NAN, 2], [NAN, NAN, 3])
    assert compare_arms(GAMES, ("x", "y"), (Y, other), (Y.raw, other.raw)) is None


def test_pairs_that_lack_runs_count_in_the_correction():
    pair = compare_arms(GAMES, ("x", "y"), (X, Y), (X.raw, Y.raw))
    pairs = [replace(pair, p=p) for p in (0.01, 0.04, NAN)]
    assert [one.p_holm for one in correct(pairs[:2], 2)] == pytest.approx([0.02, 0.04])
    assert [one.p_holm for one in correct(pairs[:2], 4)] == pytest.approx([0.04, 0.12])
    three = [one.p_holm for one in correct(pairs, 3)]
    assert three[:2] == pytest.approx([0.03, 0.08])
    assert np.isnan(three[2])
    assert correct([], 2) == ()
