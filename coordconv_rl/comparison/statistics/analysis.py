"""What an experiment's results say, in numbers: estimates with intervals, by arm and pair of arms.

Only finished runs count. Missing ones are NaN in every array, counted, and never filled in.
Aggregates use human-normalised scores (0 is random play, 1 is human) of games that have both
reference scores; ranks, as in the probability of improvement, use raw scores of all games.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coordconv_rl.comparison.results import Results, step_grid
from coordconv_rl.comparison.statistics import bootstrap, estimators
from coordconv_rl.comparison.statistics.bootstrap import Estimate
from coordconv_rl.comparison.statistics.estimators import Array
from coordconv_rl.comparison.statistics.scores import Scores, collect_curves, collect_scores
from coordconv_rl.envs import TINY_RANGE_GAMES

Mask = npt.NDArray[np.bool_]
BASELINE, CONTROL = "cnn", "shuffled"
BOOTSTRAP_SEED = 0
PROFILE_POINTS = 81
CURVE_POINTS = 25
BAND_RESAMPLES = 500  # of curves and profiles, which are looked at and not read off


@dataclass(frozen=True)
class ArmEstimates:
    """One arm's aggregates over the shared games, human-normalised.

    Attributes:
        iqm: The interquartile mean.
        iqm_unmarked: The same without the games of `TINY_RANGE_GAMES`; None where there are none.
        median: The median over games.
        mean: The mean over games.
        optimality_gap: By how much runs fall short of human level; smaller is better.
        profile: The share of runs above each of the analysis's thresholds.
        efficiency: The interquartile mean at each step of the grid, from the training's games.
    """

    iqm: Estimate
    iqm_unmarked: Estimate | None
    median: Estimate
    mean: Estimate
    optimality_gap: Estimate
    profile: Estimate
    efficiency: Estimate


@dataclass(frozen=True)
class Comparison:
    """One arm against another, over the games in which both have finished runs.

    Attributes:
        arm: The arm.
        against: The arm that it is compared with.
        games: The games compared.
        seeds: The smallest number of finished runs of either arm in these games.
        improvement: The probability that a run of `arm` beats one of `against`.
        improvement_by_game: The same for each of the games.
        iqm_difference: Difference of interquartile means, human-normalised; None without
            reference scores.
        paired_by_game: Mean difference of raw scores by seed, one estimate for each of the games.
        p_values: Welch's test for each of the games, corrected by Holm for their number.
        seeds_needed: Seeds that would show a difference of the size found (see `bootstrap`).
    """

    arm: str
    against: str
    games: tuple[str, ...]
    seeds: int
    improvement: Estimate
    improvement_by_game: Array
    iqm_difference: Estimate | None
    paired_by_game: tuple[Estimate, ...]
    p_values: Array
    seeds_needed: int | None


@dataclass(frozen=True)
class AlgoAnalysis:
    """Everything about one algorithm.

    Attributes:
        algo: The algorithm.
        games: The experiment's games.
        scores: Final scores by arm.
        shared: The games that the aggregates cover: with reference scores, and with a finished
            run of every arm that has any.
        arms: Aggregates by arm; none for an arm without finished runs, or without shared games.
        grid: Environment steps of the sample-efficiency curves.
        thresholds: Human-normalised scores of the performance profiles; none without shared games.
        comparisons: Every arm against the baseline, then `coordconv` against the control.
    """

    algo: str
    games: tuple[str, ...]
    scores: dict[str, Scores]
    shared: tuple[str, ...]
    arms: dict[str, ArmEstimates]
    grid: Array
    thresholds: Array
    comparisons: tuple[Comparison, ...]


def analyse(found: Results, algo: str) -> AlgoAnalysis:
    """Estimate everything about one algorithm of an experiment."""
    scores = collect_scores(found, algo)
    present = [arm for arm, own in scores.items() if own.done]
    games = np.array(found.games)
    common = np.all([_has_runs(scores[arm].normalised) for arm in present], axis=0)
    shared = common if present else np.zeros(len(games), dtype=bool)
    grid = step_grid(found.experiment, CURVE_POINTS)
    marked = np.isin(games, list(TINY_RANGE_GAMES))
    arms, thresholds = {}, np.empty(0)
    if shared.any():
        own = {arm: scores[arm].normalised[:, shared] for arm in present}
        thresholds = profile_thresholds(np.concatenate([x.ravel() for x in own.values()]))
        for arm in present:
            curves = collect_curves(found, algo, arm, tuple(games[shared]), grid)
            arms[arm] = _estimate_arm(own[arm], curves, marked[shared], thresholds)
    pairs = [(arm, BASELINE) for arm in scores if arm != BASELINE]
    pairs.append(("coordconv", CONTROL))
    comparisons = tuple(
        compared
        for arm, against in pairs
        if arm in scores
        and against in scores
        and (compared := compare_arms(found.games, arm, scores[arm], against, scores[against]))
    )
    named = tuple(str(game) for game in games[shared])
    return AlgoAnalysis(
        algo, found.games, scores, named, arms, grid.astype(float), thresholds, comparisons
    )


def profile_thresholds(scores: Array) -> Array:
    """Return the human-normalised scores at which a performance profile is drawn.

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


def compare_arms(
    games: tuple[str, ...], arm: str, x: Scores, against: str, y: Scores
) -> Comparison | None:
    """Compare two arms over the games where both have runs; None where there is no such game."""
    both = _has_runs(x.raw) & _has_runs(y.raw)
    if not both.any():
        return None
    raw = x.raw[:, both], y.raw[:, both]
    known = _has_runs(x.normalised) & _has_runs(y.normalised)
    normalised = x.normalised[:, known], y.normalised[:, known]
    paired = estimators.paired_difference(*raw)
    return Comparison(
        arm=arm,
        against=against,
        games=tuple(game for game, has in zip(games, both, strict=True) if has),
        seeds=min(map(bootstrap.fewest_seeds, raw)),
        improvement=_estimate(estimators.probability_of_improvement, *raw),
        improvement_by_game=estimators.improvement_by_game(*raw),
        iqm_difference=_estimate(_iqm_difference, *normalised) if known.any() else None,
        paired_by_game=tuple(
            _estimate(estimators.mean, paired[:, [game]]) for game in range(paired.shape[1])
        ),
        p_values=bootstrap.holm(bootstrap.p_values_by_game(*raw)),
        seeds_needed=bootstrap.seeds_needed(*normalised) if known.any() else None,
    )


def _iqm_difference(x: Array, y: Array) -> Array:
    return estimators.iqm(x) - estimators.iqm(y)


def _estimate(
    statistic: Callable[..., Array], *scores: Array, resamples: int = bootstrap.RESAMPLES
) -> Estimate:
    rng = np.random.default_rng(BOOTSTRAP_SEED)  # anew, so no result depends on the ones before
    return bootstrap.estimate(statistic, *scores, rng=rng, resamples=resamples)


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
        iqm=_estimate(estimators.iqm, scores),
        iqm_unmarked=_estimate(estimators.iqm, scores[:, ~marked]) if both else None,
        median=_estimate(estimators.median, scores),
        mean=_estimate(estimators.mean, scores),
        optimality_gap=_estimate(estimators.optimality_gap, scores),
        profile=_estimate(profile, scores, resamples=BAND_RESAMPLES),
        efficiency=_estimate(estimators.sample_efficiency, curves, resamples=BAND_RESAMPLES),
    )


def _has_runs(scores: Array) -> Mask:
    return np.asarray(np.isfinite(scores).any(axis=0))
