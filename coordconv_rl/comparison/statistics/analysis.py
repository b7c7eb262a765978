"""What an experiment's results say, in numbers: estimates with intervals, by arm and pair of arms.

Only finished runs count. Missing ones are NaN in every array, counted, and never filled in.
Aggregates use scores on a scale that the games share (see `scale`); ranks, as in the probability of
improvement, use raw scores of all games. The bootstrap keeps the scale as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from coordconv_rl.comparison.baselines import Pair, declared_pairs
from coordconv_rl.comparison.learning_curves import step_grid
from coordconv_rl.comparison.results import Results
from coordconv_rl.comparison.statistics import estimators
from coordconv_rl.comparison.statistics.bootstrap import Estimate
from coordconv_rl.comparison.statistics.estimators import Array, Mask
from coordconv_rl.comparison.statistics.pairs import (
    Comparison,
    compare_arms,
    correct,
    has_runs,
    with_interval,
)
from coordconv_rl.comparison.statistics.scale import Scale
from coordconv_rl.comparison.statistics.scores import (
    Scores,
    areas,
    collect_curves,
    collect_scores,
)
from coordconv_rl.envs import TINY_RANGE_GAMES

PROFILE_POINTS = 81
CURVE_POINTS = 25
BAND_RESAMPLES = 500  # of curves and profiles, which are looked at and not read off


@dataclass(frozen=True)
class ArmEstimates:
    """One arm's aggregates over the shared games, on the analysis's scale.

    Attributes:
        iqm: The interquartile mean.
        iqm_unmarked: The same without the games of `TINY_RANGE_GAMES`; None where there are none,
            and on another scale than the human one.
        median: The median over games.
        mean: The mean over games.
        by_game: The mean of each of the shared games without those of `TINY_RANGE_GAMES`.
        optimality_gap: By how much runs fall short of human level; smaller is better. None on
            another scale.
        profile: The share of runs above each of the analysis's thresholds.
        efficiency: The interquartile mean at each step of the grid, from the training's games.
    """

    iqm: Estimate
    iqm_unmarked: Estimate | None
    median: Estimate
    mean: Estimate
    by_game: Array
    optimality_gap: Estimate | None
    profile: Estimate
    efficiency: Estimate


@dataclass(frozen=True)
class AlgoAnalysis:
    """Everything about one algorithm.

    Attributes:
        algo: The algorithm.
        games: The experiment's games.
        scale: The scale of the aggregates.
        scores: Final scores by arm.
        shared: The games that the aggregates cover: with a scale, and with a finished run of
            every arm that has any.
        arms: Aggregates by arm; none for an arm without finished runs, or without shared games.
        grid: Environment steps of the sample-efficiency curves.
        thresholds: Scores of the performance profiles; none without shared games.
        pairs: The pairs that are declared.
        comparisons: Those of them of which both arms have finished runs of a game.
        equivalence: By how little two arms' means must differ to be called equal; None if the
            experiment does not say.
    """

    algo: str
    games: tuple[str, ...]
    scale: Scale
    scores: dict[str, Scores]
    shared: tuple[str, ...]
    arms: dict[str, ArmEstimates]
    grid: Array
    thresholds: Array
    pairs: tuple[Pair, ...]
    comparisons: tuple[Comparison, ...]
    equivalence: float | None


def analyse(found: Results, algo: str, pairs: Sequence[Pair] | None = None) -> AlgoAnalysis:
    """Estimate everything about one algorithm of an experiment.

    Args:
        found: The experiment.
        algo: The algorithm.
        pairs: Which arms to compare; those that the experiment declares if None.
    """
    scores, scale = collect_scores(found, algo)
    grid = step_grid(found.experiment, CURVE_POINTS)
    curves = {arm: collect_curves(found, algo, arm, grid) for arm, own in scores.items()}
    shared, arms, thresholds = _aggregates(found.games, scale, scores, curves)
    declared = declared_pairs(found.experiment) if pairs is None else tuple(pairs)
    heights = {arm: areas(lines, grid) for arm, lines in curves.items()}
    compared = [
        compare_arms(
            found.games, pair, (scores[pair[0]], scores[pair[1]]),
            (heights[pair[0]], heights[pair[1]]), tiny_range_games(scale),
        )
        for pair in declared
    ]  # fmt: skip
    return AlgoAnalysis(
        algo=algo,
        games=found.games,
        scale=scale,
        scores=scores,
        shared=tuple(str(game) for game in np.array(found.games)[shared]),
        arms=arms,
        grid=grid.astype(float),
        thresholds=thresholds,
        pairs=declared,
        comparisons=correct([pair for pair in compared if pair is not None], len(declared)),
        equivalence=found.experiment.equivalence,
    )


def _aggregates(
    games: tuple[str, ...], scale: Scale, scores: dict[str, Scores], curves: dict[str, Array]
) -> tuple[Mask, dict[str, ArmEstimates], Array]:
    """Estimate the aggregates of every arm that has finished runs.

    Returns:
        Which games the aggregates cover, the estimates by arm, and the profiles' thresholds.
    """
    present = [arm for arm, own in scores.items() if own.done]
    shared = np.all([has_runs(scores[arm].scaled) for arm in present], axis=0)
    if not present or not shared.any():
        return np.zeros(len(games), dtype=bool), {}, np.empty(0)
    own = {arm: scores[arm].scaled[:, shared] for arm in present}
    thresholds = profile_thresholds(np.concatenate([x.ravel() for x in own.values()]))
    marked = np.isin(np.array(games)[shared], list(tiny_range_games(scale)))
    arms = {
        arm: _estimate_arm(own[arm], scale.apply(curves[arm])[..., shared], marked, thresholds)
        for arm in present
    }
    if scale.name != "human-normalised":
        arms = {arm: replace(found, optimality_gap=None) for arm, found in arms.items()}
    return shared, arms, thresholds


def tiny_range_games(scale: Scale) -> frozenset[str]:
    """Return the games that a scale makes large where hardly anything was scored."""
    return TINY_RANGE_GAMES if scale.name == "human-normalised" else frozenset()


def profile_thresholds(scores: Array) -> Array:
    """Return the scores at which a performance profile is drawn.

    They go from the lowest score, or 0 if that is lower, to the highest, or 1 if that is higher;
    but a few games in which agents are dozens of times as good as a human do not press the others
    together: no further than twice the 90th percentile.

    Args:
        scores: All runs' scores, NaN where a run is missing.

    Returns:
        Shape (`PROFILE_POINTS`,), evenly spaced.
    """
    known = scores[np.isfinite(scores)]
    most = max(1.0, 2 * float(np.quantile(known, 0.9)))
    high = min(max(1.0, float(known.max())), most)
    return np.linspace(min(0.0, float(known.min())), high, PROFILE_POINTS)


def _estimate_arm(scores: Array, curves: Array, marked: Mask, thresholds: Array) -> ArmEstimates:
    """Estimate one arm's aggregates.

    Args:
        scores: Final scores of shape (seeds, shared games).
        curves: Learning curves of shape (points, seeds, shared games).
        marked: Which of the games have a tiny range.
        thresholds: Where the profile is wanted.
    """

    def profile(drawn: Array) -> Array:
        return estimators.performance_profile(drawn, thresholds)

    both = marked.any() and not marked.all()
    return ArmEstimates(
        iqm=with_interval(estimators.iqm, scores),
        iqm_unmarked=with_interval(estimators.iqm, scores[:, ~marked]) if both else None,
        median=with_interval(estimators.median, scores),
        mean=with_interval(estimators.mean, scores),
        by_game=np.nanmean(scores[:, ~marked], axis=0),
        optimality_gap=with_interval(estimators.optimality_gap, scores),
        profile=with_interval(profile, scores, resamples=BAND_RESAMPLES),
        efficiency=with_interval(estimators.sample_efficiency, curves, resamples=BAND_RESAMPLES),
    )
