"""The uncertainty of a comparison: stratified bootstrap, tests by game, and the seeds it needs.

A seed is the unit everywhere, never an episode. All draws come from the generator that is passed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from coordconv_rl.comparison.statistics.estimators import Array

MIN_SEEDS = 3  # with fewer runs of a game, an interval would only look like one
RESAMPLES = 2_000  # rliable's own number for profiles; the bounds move by about 1% of the width
_CHUNK = 500_000  # numbers resampled at once, 4 MB, which a processor's cache may hold


@dataclass(frozen=True)
class Estimate:
    """A statistic with its interval.

    Attributes:
        value: The estimate from the runs as they are: an array, of shape () for a single number.
        low: The interval's lower end, of the same shape; None where there are too few seeds.
        high: The interval's upper end, likewise.
    """

    value: Array
    low: Array | None
    high: Array | None


def estimate(
    statistic: Callable[..., Array],
    *scores: Array,
    rng: np.random.Generator,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Estimate:
    """Estimate a statistic with its stratified percentile bootstrap interval over seeds.

    Each game's runs are drawn anew, with replacement, from the runs that it has; each group of
    scores on its own (Agarwal et al. 2021, section 4.1). Runs of a curve are drawn whole.

    Args:
        statistic: A function of arrays of shape (..., runs, games), as in `statistics`.
        scores: One array of shape (runs, games) or (points, runs, games) for each of its arguments.
        rng: Where the draws come from; the same state gives the same interval.
        level: The share of resamples inside the interval.
        resamples: How many.
    """
    value = np.asarray(statistic(*scores))
    if min(fewest_seeds(group) for group in scores) < MIN_SEEDS:
        return Estimate(value, None, None)
    packed = [_pack(group) for group in scores]
    chunk = max(1, _CHUNK // max(group.size for group in scores))
    drawn = [
        statistic(*(_resample(group, min(chunk, resamples - done), rng) for group in packed))
        for done in range(0, resamples, chunk)
    ]
    tail = (1 - level) / 2
    low, high = np.quantile(np.concatenate(drawn), [tail, 1 - tail], axis=0)
    return Estimate(value, low, high)


def fewest_seeds(scores: Array) -> int:
    """Return the number of runs of the game that has fewest; 0 without games."""
    there = _there(scores)
    return int(there.sum(axis=0).min()) if there.size else 0


def p_values_by_game(x: Array, y: Array) -> Array:
    """Return each game's two-sided p-value for equal means, by Welch's t-test over seeds.

    Welch's test is the choice of Colas et al. 2019 (arXiv 1904.06979) for a few seeds with unequal
    spread. NaN where a game has fewer than `MIN_SEEDS` runs in either arm, or no spread in both.

    Args:
        x: Scores of shape (runs, games).
        y: Scores of shape (runs, games); the runs may differ in number from X's.
    """
    values = np.full(x.shape[1], np.nan)
    for game in range(x.shape[1]):
        left, right = (column[~np.isnan(column)] for column in (x[:, game], y[:, game]))
        spread = len(left) >= MIN_SEEDS <= len(right) and (np.ptp(left) > 0 or np.ptp(right) > 0)
        if spread:
            values[game] = stats.ttest_ind(left, right, equal_var=False).pvalue
    return values


def holm(p_values: Array) -> Array:
    """Correct p-values for being many (Holm 1979); NaN stays NaN and does not count."""
    adjusted = np.full(len(p_values), np.nan)
    tested = np.flatnonzero(~np.isnan(p_values))
    order = tested[np.argsort(p_values[tested], kind="stable")]
    steps = np.arange(len(order), 0, -1) * p_values[order]
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def seeds_needed(x: Array, y: Array, *, power: float = 0.8, level: float = 0.05) -> int | None:
    """Return how many seeds an arm would need to show a mean difference of the size found.

    The mean over games differs by d; one seed of each arm adds the variance v, summed over games
    and divided by their number squared. The answer is the smallest n with which a two-sided t-test
    of size `level` finds d with probability `power`.

    Args:
        x: Scores of shape (runs, games) on a scale that games share.
        y: Scores of shape (runs, games).
        power: The probability of finding d.
        level: The probability of finding a difference where there is none.

    Returns:
        At least 2, and above 370 within 0.3%; None where d or v is zero or unknown, or where it
        would be over 100,000.
    """
    games = x.shape[1]
    if min(fewest_seeds(x), fewest_seeds(y)) < MIN_SEEDS:
        return None
    difference = abs(float(np.mean(np.nanmean(x, axis=0) - np.nanmean(y, axis=0))))
    variance = float(np.sum(np.nanvar(x, axis=0, ddof=1) + np.nanvar(y, axis=0, ddof=1)))
    spread = np.sqrt(variance) / games
    if difference == 0 or spread == 0:
        return None
    counts = np.unique(np.geomspace(2, 100_000, 4_000).astype(int))
    freedom = 2 * counts - 2
    bound = stats.t.ppf(1 - level / 2, freedom)
    reached = stats.nct.sf(bound, freedom, difference / spread * np.sqrt(counts)) >= power
    return int(counts[np.argmax(reached)]) if reached.any() else None


def _there(scores: Array) -> npt.NDArray[np.bool_]:
    """Return which runs have any score, of shape (runs, games)."""
    known = ~np.isnan(scores)
    return np.asarray(known.reshape(-1, *scores.shape[-2:]).any(axis=0))


def _pack(scores: Array) -> Array:
    """Move each game's missing runs behind those that are there."""
    order = np.argsort(~_there(scores), axis=0, kind="stable")
    return np.take_along_axis(scores, np.broadcast_to(order, scores.shape), axis=-2)


def _resample(packed: Array, count: int, rng: np.random.Generator) -> Array:
    """Draw `count` resamples of packed scores, of shape (count, ..., runs, games)."""
    runs, games = packed.shape[-2:]
    present = _there(packed).sum(axis=0)
    place = np.floor(rng.random((count, runs, games)) * present).astype(np.intp)
    row = np.arange(runs)[:, None]
    place = np.where(row < present, place, row)  # rows past the last run stay missing
    lead = (1,) * (packed.ndim - 2)
    place = place.reshape(count, *lead, runs, games)
    place = np.broadcast_to(place, (count, *packed.shape))
    return np.take_along_axis(packed[None], place, axis=-2)
