"""One arm against another: by ranks of raw scores, and by differences on the aggregates' scale."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from coordconv_rl.comparison.statistics import bootstrap, estimators
from coordconv_rl.comparison.statistics.bootstrap import MIN_SEEDS, Estimate
from coordconv_rl.comparison.statistics.estimators import Array, Mask
from coordconv_rl.comparison.statistics.permutation import permutation_p_value
from coordconv_rl.comparison.statistics.scores import Scores

BOOTSTRAP_SEED = 0


@dataclass(frozen=True)
class Comparison:
    """One arm against another, over the games in which both have finished runs.

    Attributes:
        arm: The arm.
        against: The arm that it is compared with.
        games: The games compared.
        seeds: The smallest number of finished runs of either arm in these games.
        improvement: The probability that a run of `arm` beats one of `against`.
        p: The permutation test's p-value of that; NaN under `MIN_SEEDS` seeds.
        p_holm: The same, corrected by Holm for all pairs that are declared.
        scaled_games: Those of them that the differences and `seeds_needed` are of.
        left_out: Those that they leave out, for human and random play score nearly the same there.
        iqm_difference: Difference of interquartile means on the aggregates' scale; None where no
            game has one.
        mean_difference: Difference of means over games, likewise.
        means: The two arms' own means by game, of shape (2, scaled games), on that scale.
        seeds_needed: Seeds that would show a mean difference of the size found (see `bootstrap`).
        area_improvement: The probability that the area under a run's learning curve is larger
            than that of a run of `against`: sample efficiency.
        improvement_by_game: The probability of improvement for each of the games.
        difference_by_game: Difference of mean raw scores for each of the games.
        paired_by_game: Mean difference of raw scores by seed, one estimate for each of the games.
        p_by_game: Welch's test of `difference_by_game`, corrected by Holm for the games' number.
    """

    arm: str
    against: str
    games: tuple[str, ...]
    seeds: int
    improvement: Estimate
    p: float
    p_holm: float
    scaled_games: tuple[str, ...]
    left_out: tuple[str, ...]
    iqm_difference: Estimate | None
    mean_difference: Estimate | None
    means: Array
    seeds_needed: int | None
    area_improvement: Estimate
    improvement_by_game: Array
    difference_by_game: Array
    paired_by_game: tuple[Estimate, ...]
    p_by_game: Array


def compare_arms(
    games: tuple[str, ...],
    names: tuple[str, str],
    scores: tuple[Scores, Scores],
    areas: tuple[Array, Array],
    tiny: Collection[str] = (),
) -> Comparison | None:
    """Compare two arms over the games where both have runs; None where there is no such game.

    Args:
        games: The experiment's games.
        names: The arm's label and its baseline's.
        scores: Their final scores.
        areas: Mean heights of their learning curves, of shape (seeds, games).
        tiny: Games whose scale is so short that they alone would make the differences of means;
            these leave them out where there are others.
    """
    both = np.logical_and(*(has_runs(own.raw) for own in scores))
    if not both.any():
        return None
    raw = scores[0].raw[:, both], scores[1].raw[:, both]
    known = np.logical_and(*(has_runs(own.scaled) for own in scores))
    known, left_out = without_tiny(games, known, tiny)
    scaled = scores[0].scaled[:, known], scores[1].scaled[:, known]
    grown = areas[0][:, both], areas[1][:, both]
    seeds = min(map(bootstrap.fewest_seeds, raw))
    paired = estimators.paired_difference(*raw)
    rng = np.random.default_rng(BOOTSTRAP_SEED)
    return Comparison(
        arm=names[0],
        against=names[1],
        games=_named(games, both),
        seeds=seeds,
        improvement=with_interval(estimators.probability_of_improvement, *raw),
        p=permutation_p_value(*raw, rng=rng) if seeds >= MIN_SEEDS else np.nan,
        p_holm=np.nan,
        scaled_games=_named(games, known),
        left_out=_named(games, left_out),
        iqm_difference=_difference(estimators.iqm, scaled),
        mean_difference=_difference(estimators.mean, scaled),
        means=np.array([np.nanmean(own, axis=0) for own in scaled]),
        seeds_needed=bootstrap.seeds_needed(*scaled) if known.any() else None,
        area_improvement=with_interval(estimators.probability_of_improvement, *grown),
        improvement_by_game=estimators.improvement_by_game(*raw),
        difference_by_game=np.subtract(*(np.nanmean(own, axis=0) for own in raw)),
        paired_by_game=tuple(
            with_interval(estimators.mean, paired[:, [game]]) for game in range(paired.shape[1])
        ),
        p_by_game=bootstrap.holm(bootstrap.p_values_by_game(*raw)),
    )


def without_tiny(games: tuple[str, ...], known: Mask, tiny: Collection[str]) -> tuple[Mask, Mask]:
    """Leave games of a tiny range out where there are others.

    Args:
        games: The experiment's games.
        known: Those with runs that have a scaled score.
        tiny: Games whose scale is so short that they alone would make a mean.

    Returns:
        The games that are left, and those that are left out.
    """
    is_short = known & np.isin(games, list(tiny))
    others = known & ~is_short
    return (others, is_short) if others.any() else (known, np.zeros_like(known))


def _difference(
    statistic: Callable[[Array], Array], scaled: tuple[Array, Array]
) -> Estimate | None:
    """Estimate how much larger a statistic of the first arm is; None without games."""
    return with_interval(difference_of(statistic), *scaled) if scaled[0].size else None


def _named(games: tuple[str, ...], mask: Mask) -> tuple[str, ...]:
    return tuple(game for game, is_meant in zip(games, mask, strict=True) if is_meant)


def correct(pairs: Sequence[Comparison], declared: int) -> tuple[Comparison, ...]:
    """Return the pairs with their p-values corrected by Holm's method.

    Args:
        pairs: The pairs that can be compared so far.
        declared: How many pairs are declared; those without a p-value yet count too, so that a
            corrected value cannot rise when they get theirs.
    """
    values = [pair.p for pair in pairs]
    counted = [1.0 if np.isnan(p) else p for p in values] + [1.0] * (declared - len(pairs))
    corrected = bootstrap.holm(np.array(counted, dtype=float))
    return tuple(
        replace(pair, p_holm=float("nan") if np.isnan(pair.p) else float(value))
        for pair, value in zip(pairs, corrected, strict=False)
    )


def with_interval(
    statistic: Callable[..., Array], *scores: Array, resamples: int = bootstrap.RESAMPLES
) -> Estimate:
    """Return `bootstrap.estimate` with a generator anew, so no result depends on those before."""
    rng = np.random.default_rng(BOOTSTRAP_SEED)
    return bootstrap.estimate(statistic, *scores, rng=rng, resamples=resamples)


def difference_of(statistic: Callable[[Array], Array]) -> Callable[[Array, Array], Array]:
    """Return the function that subtracts a statistic of Y from that of X."""
    return lambda x, y: statistic(x) - statistic(y)


def has_runs(scores: Array) -> Mask:
    """Return which games have any finished run."""
    return np.asarray(np.isfinite(scores).any(axis=0))
