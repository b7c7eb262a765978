"""Scores and learning curves as arrays of seeds x games; a missing run is NaN, never filled in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coordconv_rl.comparison.results import Results, curve, final_scores
from coordconv_rl.comparison.statistics.estimators import Array
from coordconv_rl.envs import human_normalised


@dataclass(frozen=True)
class Scores:
    """The final scores of one arm.

    Attributes:
        raw: Raw scores of shape (seeds, games), in the experiment's order of both.
        normalised: The same, human-normalised; NaN for games without reference scores.
        done: How many runs have a final score.
        planned: How many the experiment wants.
    """

    raw: Array
    normalised: Array
    done: int
    planned: int


def collect_scores(found: Results, algo: str) -> dict[str, Scores]:
    """Return one algorithm's final scores by arm."""
    seeds, games = found.experiment.seeds, found.games
    by_arm = {}
    for arm, by_game in final_scores(found, algo).items():
        rows = [[by_game[game].get(seed, np.nan) for game in games] for seed in seeds]
        raw = np.array(rows, dtype=float)
        done = int(np.isfinite(raw).sum())
        by_arm[arm] = Scores(raw, normalise_scores(raw, games), done, raw.size)
    return by_arm


def normalise_scores(raw: Array, games: tuple[str, ...]) -> Array:
    """Return human-normalised scores; NaN for games without reference scores.

    Args:
        raw: Raw scores whose last axis is the games.
        games: The games' names.
    """
    normalised = np.full(raw.shape, np.nan)
    for column, game in enumerate(games):
        own = [human_normalised(game, score) for score in raw[..., column].ravel()]
        normalised[..., column] = np.array(own, dtype=float).reshape(raw.shape[:-1])
    return normalised


def collect_curves(
    found: Results, algo: str, arm: str, games: tuple[str, ...], grid: NDArray[np.int64]
) -> Array:
    """Return normalised learning curves of an arm's finished runs.

    Args:
        found: The experiment.
        algo: The algorithm.
        arm: The arm.
        games: The games.
        grid: Environment steps in rising order.

    Returns:
        Shape (grid steps, seeds, games); NaN where a run is missing or ended no game.
    """
    seeds = {seed: row for row, seed in enumerate(found.experiment.seeds)}
    columns = {game: column for column, game in enumerate(games)}
    curves = np.full((len(grid), len(seeds), len(games)), np.nan)
    for run in found.runs:
        wanted = run.algo == algo and run.arm == arm and run.game in columns
        if wanted and run.status == "done":
            curves[:, seeds[run.seed], columns[run.game]] = curve(run, grid)
    return normalise_scores(curves, games)
