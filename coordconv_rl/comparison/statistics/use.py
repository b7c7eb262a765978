"""Use of coordinates: how far scores fall without them, and whether one head's fall further.

An inspection plays an agent with its coordinate channels as trained, zeroed and permuted. The fall
of an agent is its score as trained minus that with disturbed coordinates; agents of two heads are
compared by their falls as arms are by their scores.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from coordconv_rl.comparison.baselines import head_pairs
from coordconv_rl.comparison.results import Results
from coordconv_rl.comparison.statistics import bootstrap, estimators
from coordconv_rl.comparison.statistics.analysis import AlgoAnalysis, tiny_range_games
from coordconv_rl.comparison.statistics.bootstrap import MIN_SEEDS, Estimate
from coordconv_rl.comparison.statistics.estimators import Array
from coordconv_rl.comparison.statistics.pairs import (
    BOOTSTRAP_SEED,
    difference_of,
    has_runs,
    with_interval,
    without_tiny,
)
from coordconv_rl.comparison.statistics.permutation import permutation_p_value
from coordconv_rl.runs import TREATMENTS

TRAINED, *DISTURBED = TREATMENTS
AgentKey = tuple[str, str, str, int]  # algorithm, game, arm's label, seed


@dataclass(frozen=True)
class Use:
    """How far the scores of one arm's agents fall.

    Attributes:
        arm: The arm.
        agents: How many were inspected.
        falls: By what is done to the coordinates: the mean over games of the agents' falls, on the
            analysis's scale; None where no game has one. Games of a tiny range are left out where
            there are others, as in differences.
    """

    arm: str
    agents: int
    falls: dict[str, Estimate | None]


@dataclass(frozen=True)
class UseComparison:
    """The falls of two arms that differ in their head, over games with inspections of both.

    Attributes:
        arm: The arm.
        against: The other one.
        treatment: What was done to the coordinates: "zeroed" or "permuted".
        games: How many games are compared.
        seeds: The smallest number of inspected agents of either arm in these games.
        further: The probability that an agent of `arm` falls further than one of `against`.
        difference: Difference of the mean falls on the analysis's scale; None where no game has
            one.
        p: The permutation test's p-value of `further`; NaN under `MIN_SEEDS` seeds.
        p_holm: The same, corrected for all comparisons of falls of the algorithm.
    """

    arm: str
    against: str
    treatment: str
    games: int
    seeds: int
    further: Estimate
    difference: Estimate | None
    p: float
    p_holm: float


def analyse_use(
    found: Results, analysis: AlgoAnalysis, means: Mapping[AgentKey, Mapping[str, float]]
) -> tuple[tuple[Use, ...], tuple[UseComparison, ...]]:
    """Estimate how far scores fall, by arm, and compare arms that differ in their head.

    Args:
        found: The experiment.
        analysis: The analysis of one of its algorithms.
        means: The mean raw score by treatment of each inspected run.
    """
    falls = {arm: _falls(found, analysis.algo, arm, means) for arm in analysis.scores}
    seen = {arm: own for arm, own in falls.items() if np.isfinite(own[DISTURBED[0]]).any()}
    uses = tuple(
        Use(
            arm=arm,
            agents=int(np.isfinite(own[DISTURBED[0]]).sum()),
            falls={name: _mean_fall(analysis, raw) for name, raw in own.items()},
        )
        for arm, own in seen.items()
    )
    compared = [
        pair
        for arm, against in head_pairs(found.experiment)
        if arm in seen and against in seen
        for name in DISTURBED
        if (pair := _compare(analysis, (arm, against), name, seen[arm][name], seen[against][name]))
    ]
    corrected = bootstrap.holm(np.array([pair[-1] for pair in compared], dtype=float))
    return uses, tuple(
        UseComparison(*pair, p_holm=float(p)) for pair, p in zip(compared, corrected, strict=True)
    )


def _falls(
    found: Results, algo: str, arm: str, means: Mapping[AgentKey, Mapping[str, float]]
) -> dict[str, Array]:
    """Return raw falls by treatment, each of shape (seeds, games); NaN without an inspection."""
    seeds, games = found.experiment.seeds, found.games
    falls: dict[str, Array]
    falls = {name: np.full((len(seeds), len(games)), np.nan) for name in DISTURBED}
    for (one, game, label, seed), own in means.items():
        if (one, label) == (algo, arm):
            for name in DISTURBED:
                place = seeds.index(seed), games.index(game)
                falls[name][place] = own[TRAINED] - own[name]
    return falls


def _scaled(analysis: AlgoAnalysis, raw: Array) -> Array:
    """Return falls on the analysis's scale: a fall from 1 to 0 is 1."""
    return analysis.scale.apply(raw + analysis.scale.zero)


def _mean_fall(analysis: AlgoAnalysis, raw: Array) -> Estimate | None:
    scaled = _scaled(analysis, raw)
    known, _ = without_tiny(analysis.games, has_runs(scaled), tiny_range_games(analysis.scale))
    return with_interval(estimators.mean, scaled[:, known]) if known.any() else None


def _compare(
    analysis: AlgoAnalysis, names: tuple[str, str], treatment: str, x: Array, y: Array
) -> tuple[str, str, str, int, int, Estimate, Estimate | None, float] | None:
    """Compare two arms' raw falls; None where they share no game."""
    both = has_runs(x) & has_runs(y)
    if not both.any():
        return None
    raw = x[:, both], y[:, both]
    scaled = _scaled(analysis, x), _scaled(analysis, y)
    known = has_runs(scaled[0]) & has_runs(scaled[1])
    known, _ = without_tiny(analysis.games, known, tiny_range_games(analysis.scale))
    seeds = min(map(bootstrap.fewest_seeds, raw))
    difference = None
    if known.any():
        means = difference_of(estimators.mean)
        difference = with_interval(means, scaled[0][:, known], scaled[1][:, known])
    rng = np.random.default_rng(BOOTSTRAP_SEED)
    return (
        *names, treatment, int(both.sum()), seeds,
        with_interval(estimators.probability_of_improvement, *raw), difference,
        permutation_p_value(*raw, rng=rng) if seeds >= MIN_SEEDS else np.nan,
    )  # fmt: skip
