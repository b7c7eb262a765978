"""Scores and learning curves as arrays of seeds x games; a missing run is NaN, never filled in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coordconv_rl.comparison.learning_curves import curve
from coordconv_rl.comparison.results import Results, final_scores
from coordconv_rl.comparison.statistics.estimators import Array
from coordconv_rl.comparison.statistics.scale import Scale, choose_scale, human_scale


@dataclass(frozen=True)
class Scores:
    """The final scores of one arm.

    Attributes:
        raw: Raw scores of shape (seeds, games), in the experiment's order of both.
        human: The same, human-normalised; NaN for games without reference scores.
        scaled: The same on the scale of the aggregates.
        done: How many runs have a final score.
        planned: How many the experiment wants.
    """

    raw: Array
    human: Array
    scaled: Array
    done: int
    planned: int


def collect_scores(found: Results, algo: str) -> tuple[dict[str, Scores], Scale]:
    """Return one algorithm's final scores by arm, and the scale of the aggregates."""
    seeds, games = found.experiment.seeds, found.games
    raw = {
        arm: np.array(
            [[by_game[game].get(seed, np.nan) for game in games] for seed in seeds], dtype=float
        )
        for arm, by_game in final_scores(found, algo).items()
    }
    scale, human = choose_scale(games, raw), human_scale(games)
    scores = {
        arm: Scores(own, human.apply(own), scale.apply(own), int(np.isfinite(own).sum()), own.size)
        for arm, own in raw.items()
    }
    return scores, scale


def collect_curves(found: Results, algo: str, arm: str, grid: NDArray[np.int64]) -> Array:
    """Return learning curves, in raw scores, of an arm's finished runs.

    Args:
        found: The experiment.
        algo: The algorithm.
        arm: The arm.
        grid: Environment steps in rising order.

    Returns:
        Shape (grid steps, seeds, games); NaN where a run is missing or ended no game.
    """
    seeds = {seed: row for row, seed in enumerate(found.experiment.seeds)}
    columns = {game: column for column, game in enumerate(found.games)}
    curves = np.full((len(grid), len(seeds), len(columns)), np.nan)
    for run in found.runs:
        if (run.algo, run.arm, run.status) == (algo, arm, "done"):
            curves[:, seeds[run.seed], columns[run.game]] = curve(run, grid)
    return curves


def areas(curves: Array, grid: NDArray[np.int64]) -> Array:
    """Return the mean height of each learning curve: the area under it, divided by its length.

    Between its points a curve is a straight line, and level before the first and after the last.

    Args:
        curves: Shape (grid steps, seeds, games), NaN where a curve has no point.
        grid: Evenly spaced environment steps.

    Returns:
        Shape (seeds, games); NaN for a run without any point.
    """
    found = np.full(curves.shape[1:], np.nan)
    for place in np.ndindex(found.shape):
        line = curves[(slice(None), *place)]
        known = np.isfinite(line)
        if known.any():
            found[place] = np.interp(grid, grid[known], line[known]).mean()
    return found
