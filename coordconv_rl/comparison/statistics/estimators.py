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

    Returns:
        Shape (...); NaN where there is no run.
    """
    flat = np.sort(scores.reshape(*scores.shape[:-2], -1), axis=-1)  # NaN goes last
    count = np.isfinite(flat).sum(axis=-1, keepdims=True)
    cut = count // 4
    place = np.arange(flat.shape[-1])
    kept = (place >= cut) & (place < count - cut)
    total = flat.sum(axis=-1, where=kept)
    return _ratio(total, (count - 2 * cut)[..., 0])


def optimality_gap(scores: Array, threshold: float = 1.0) -> Array:
    """Return by how much the runs fall short of `threshold` on average (1.0 is human level).

    Runs above the threshold count as reaching it. Smaller is better.
    """
    flat = scores.reshape(*scores.shape[:-2], -1)
    return threshold - _nanmean(np.minimum(flat, threshold), axis=-1)


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

    Returns:
        Shape (..., thresholds), each from 0 to 1.
    """
    flat = np.sort(scores.reshape(*scores.shape[:-2], -1), axis=-1)  # NaN goes last
    count = np.isfinite(flat).sum(axis=-1)
    below = [
        np.searchsorted(row[:known], thresholds, side="right")
        for row, known in zip(flat.reshape(-1, flat.shape[-1]), count.ravel(), strict=True)
    ]
    above = count[..., None] - np.reshape(below, (*count.shape, len(thresholds)))
    return _ratio(above, np.broadcast_to(count[..., None], above.shape))


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


def _nanmean(values: Array, axis: int) -> Array:
    """Return the mean of what is there; NaN, without a warning, where nothing is."""
    there = ~np.isnan(values)
    return _ratio(values.sum(axis=axis, where=there), there.sum(axis=axis))


def _ratio(total: npt.NDArray[Any], count: npt.NDArray[Any]) -> Array:
    """Return total / count; NaN, without a warning, where the count is zero."""
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))
