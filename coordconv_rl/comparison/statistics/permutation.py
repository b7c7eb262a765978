"""A permutation test of the probability of improvement, stratified by game.

If two arms are alike, each way to hand out a game's scores to their runs is equally likely. The
test counts the ways in which the probability of improvement, averaged over games, is as far from
1/2 as the one found. For one game that is Mann and Whitney's exact test, with ties as they are; for
several it is van Elteren's way to join them (1960), with equal weights.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import stats

from coordconv_rl.comparison.statistics.estimators import Array

EXACT_STEPS = 10_000  # of the statistic; beyond them, permutations are drawn: 0.1 s either way
PERMUTATIONS = 20_000

_Ints = npt.NDArray[np.int64]


def permutation_p_value(x: Array, y: Array, *, rng: np.random.Generator) -> float:
    """Return the two-sided p-value of the probability of improvement of X over Y.

    Args:
        x: Scores of shape (runs of X, games), on any scale; NaN where a run is missing.
        y: Scores of shape (runs of Y, games).
        rng: Where permutations come from, if there are too many to count all.

    Returns:
        From above 0 to 1; NaN where no game has runs of both.
    """
    games = [game for column in range(x.shape[1]) if (game := _game(x[:, column], y[:, column]))]
    if not games:
        return math.nan
    step = math.lcm(*(ours * (len(ranks) - ours) for ranks, ours in games))
    if step * len(games) <= EXACT_STEPS:
        return _counted(games, step)
    return _drawn(games, rng)


def _game(x: Array, y: Array) -> tuple[_Ints, int] | None:
    """Return the doubled ranks of a game's scores, X's first, and how many are X's."""
    x, y = x[~np.isnan(x)], y[~np.isnan(y)]
    if not len(x) or not len(y):
        return None
    ranks = 2 * stats.rankdata(np.concatenate([x, y]))  # ties share a rank, which may be a half
    return ranks.astype(np.int64), len(x)


def _counted(games: list[tuple[_Ints, int]], step: int) -> float:
    """Count all permutations: the distribution of each game's statistic, then of their sum.

    Args:
        games: Doubled ranks and the number of X's runs.
        step: A multiple of each game's number of pairs. In units of 1 / (2 * step) every game's
            probability of improvement is a whole number.
    """
    total, found = np.ones(1), 0
    for ranks, ours in games:
        wins, found_wins = _wins(ranks, ours)
        stretch = step // (ours * (len(ranks) - ours))
        wide = np.zeros((len(wins) - 1) * stretch + 1)
        wide[::stretch] = wins
        total = np.convolve(total, wide)
        found += found_wins * stretch
    middle = step * len(games)
    far = np.abs(np.arange(len(total)) - middle) >= abs(found - middle)
    return min(1.0, float(total[far].sum()))


def _wins(ranks: _Ints, ours: int) -> tuple[Array, int]:
    """Return the distribution of twice the pairs that X wins, and how many it has won.

    Ranks are taken in one after the other; `ways` counts the sets of each size and sum so far.
    """
    ways = np.zeros((ours + 1, int(ranks.sum()) + 1))
    ways[0, 0] = 1.0
    for rank in ranks:
        ways[1:, rank:] += ways[:-1, : ways.shape[1] - rank].copy()
    least = ours * (ours + 1)  # twice the ranks' sum where X wins no pair
    pairs = 2 * ours * (len(ranks) - ours)
    wins = ways[ours, least : least + pairs + 1]
    return wins / wins.sum(), int(ranks[:ours].sum()) - least


def _drawn(games: list[tuple[_Ints, int]], rng: np.random.Generator) -> float:
    """Draw permutations; the one found is one of them, so that p is never 0."""
    distance, found = np.zeros(PERMUTATIONS), 0.0
    for ranks, ours in games:
        weight = 1 / (ours * (len(ranks) - ours))
        order = rng.random((PERMUTATIONS, len(ranks))).argsort(axis=1)[:, :ours]
        middle = ours * (len(ranks) + 1)  # of the doubled ranks' sum
        distance += (ranks[order].sum(axis=1) - middle) * weight
        found += float(ranks[:ours].sum() - middle) * weight
    far = np.abs(distance) >= abs(found) - 1e-9
    return float(1 + far.sum()) / (1 + PERMUTATIONS)
