"""Point estimates of a comparison: pure functions on arrays of scores, no files, no randomness.

Scores have the shape (..., runs, games): one row a seed, one column a game, any leading axes (the
points of a curve, the resamples of a bootstrap). A missing run is NaN; it is left out, and never
filled in. The estimators are those of Agarwal et al. 2021, "Deep Reinforcement Learning at the Edge
of the Statistical Precipice" (arXiv 2108.13264), section 4.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def mean(scores: Array) -> Array:
    """Return the mean over games of each game's mean over runs, of shape (...)."""
    return _nanmean(_nanmean(scores, axis=-2), axis=-1)


def median(scores: Array) -> Array:
    """Return the median over games of each game's mean over runs, of shape (...)."""
    by_game = np.sort(_nanmean(scores, axis=-2), axis=-1)
    count = np.isfinite(by_game).sum(axis=-1, keepdims=True)
    low = np.take_along_axis(by_game, np.maximum(count - 1, 0) // 2, axis=-1)
    high = np.take_along_axis(by_game, np.minimum(count // 2, np.maximum(count - 1, 0)), axis=-1)
    return np.asarray((low + high)[..., 0] / 2)


def iqm(scores: Array) -> Array:
    """Return the interquartile mean: the mean of the middle half of all runs of all games.

    As in rliable (scipy's `trim_mean`), a quarter of the runs, rounded down, goes at each end.

    Where some games have fewer runs than others, a run weighs as much as its game has the fewer, so
    that each game keeps its share and a missing run does not make the mean one of other games; then
    a quarter of the weight goes at each end.

    Returns:
        Shape (...); NaN where there is no run.
    """
    flat, weights = _sorted(scores)
    upto = np.cumsum(weights, axis=-1)
    whole = upto[..., -1:]
    is_balanced = (weights <= 1).all(axis=-1, keepdims=True)
    cut = np.where(is_balanced, np.floor(whole / 4), whole / 4)
    kept = np.minimum(upto, whole - cut) - np.maximum(upto - weights, cut)
    total = (flat * kept).sum(axis=-1, where=kept > 0)
    return _ratio(total, kept.sum(axis=-1, where=kept > 0))


def optimality_gap(scores: Array, threshold: float = 1.0) -> Array:
    """Return by how much the runs fall short of `threshold` on average (1.0 is human level).

    Runs above the threshold count as reaching it. Smaller is better. Each game counts the same,
    however many runs it has.
    """
    return threshold - mean(np.minimum(scores, threshold))


def probability_of_improvement(x: Array, y: Array) -> Array:
    """Return the probability that a run of X beats a run of Y on a game, averaged over games.

    Ties count half. Only ranks within a game matter, so raw scores do as well as normalised ones.

    Args:
        x: Scores of shape (..., runs of X, games).
        y: Scores of shape (..., runs of Y, games).
    """
    return _nanmean(improvement_by_game(x, y), axis=-1)


def improvement_by_game(x: Array, y: Array) -> Array:
    """Return each game's probability that a run of X beats a run of Y, of shape (..., games)."""
    left, right = x[..., :, None, :], y[..., None, :, :]
    better = (left > right).sum(axis=(-3, -2))
    worse = (left < right).sum(axis=(-3, -2))
    pairs = np.isfinite(x).sum(axis=-2) * np.isfinite(y).sum(axis=-2)
    return _ratio(0.5 * (better - worse + pairs), pairs)


def performance_profile(scores: Array, thresholds: Array) -> Array:
    """Return the share of all runs of all games whose score is above each threshold.

    Each game counts the same, however many runs it has.

    Returns:
        Shape (..., thresholds), each from 0 to 1.
    """
    flat, weights = _sorted(scores)
    upto = np.concatenate([np.zeros_like(weights[..., :1]), np.cumsum(weights, axis=-1)], axis=-1)
    below = [
        weight[np.searchsorted(row, thresholds, side="right")]
        for row, weight in zip(
            flat.reshape(-1, flat.shape[-1]), upto.reshape(-1, upto.shape[-1]), strict=True
        )
    ]
    whole = upto[..., -1:]
    above = whole - np.reshape(below, (*whole.shape[:-1], len(thresholds)))
    return _ratio(above, np.broadcast_to(whole, above.shape))


def paired_difference(x: Array, y: Array) -> Array:
    """Return X minus Y by seed and game; NaN where either run of the pair is missing.

    Args:
        x: Scores of shape (runs, games), its rows in the same order of seeds as Y's.
        y: Scores of the same shape.
    """
    if x.shape != y.shape:
        raise ValueError(f"pairs want equal shapes, and these are {x.shape} and {y.shape}")
    return x - y


def sample_efficiency(curves: Array) -> Array:
    """Return the interquartile mean at each point of training.

    Args:
        curves: Aligned scores of shape (..., points, runs, games).

    Returns:
        Shape (..., points); NaN at a point that some run has not reached, because a mean over
        those that happen to be further on is a mean of something else. A run that is missing
        altogether is left out.
    """
    missing = np.isnan(curves)
    absent = missing.all(axis=-3, keepdims=True)
    behind = (missing & ~absent).any(axis=(-2, -1))
    return np.where(behind, np.nan, iqm(curves))


def _sorted(scores: Array) -> tuple[Array, Array]:
    """Return all runs of all games in rising order, NaN last, with their weights.

    A run weighs 1 where all games have equally many. Where they have not, a run of the game that
    has most weighs 1, and those of a game with half as many weigh 2. A missing run weighs 0.

    Returns:
        Scores and weights, of shape (..., runs x games).
    """
    there = np.isfinite(scores)
    runs = there.sum(axis=-2, keepdims=True)
    most = runs.max(axis=-1, keepdims=True, initial=0)
    weights = np.where(there, most / np.maximum(runs, 1), 0.0)
    flat, weights = (part.reshape(*scores.shape[:-2], -1) for part in (scores, weights))
    if (weights <= 1).all():  # which need not be moved: sorting alone is three times as fast
        return np.sort(flat, axis=-1), np.sort(weights, axis=-1)[..., ::-1]
    order = np.argsort(flat, axis=-1)
    return np.take_along_axis(flat, order, axis=-1), np.take_along_axis(weights, order, axis=-1)


def _nanmean(values: Array, axis: int) -> Array:
    """Return the mean of what is there; NaN, without a warning, where nothing is."""
    there = ~np.isnan(values)
    return _ratio(values.sum(axis=axis, where=there), there.sum(axis=axis))


def _ratio(total: npt.NDArray[Any], count: npt.NDArray[Any]) -> Array:
    """Return total / count; NaN, without a warning, where the count is zero."""
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))
