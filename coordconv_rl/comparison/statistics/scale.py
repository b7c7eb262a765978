"""The scale on which games' scores are averaged: human-normalised, or min-max over arms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from coordconv_rl.comparison.statistics.estimators import Array
from coordconv_rl.envs import reference_scores

ScaleName = Literal["human-normalised", "min-max"]


@dataclass(frozen=True)
class Scale:
    """What raw score is 0 and what is 1, game by game.

    Attributes:
        name: "human-normalised", from random to human play; or "min-max", from the lowest to the
            highest finished run of the game over all arms, which a further run may move.
        zero: The raw score that is 0, shape (games,); NaN where it is not known.
        one: The raw score that is 1, likewise.
    """

    name: ScaleName
    zero: Array
    one: Array

    def apply(self, raw: Array) -> Array:
        """Return scores on the scale; NaN for games without one.

        Args:
            raw: Raw scores whose last axis is the games.
        """
        width = np.where(self.one != self.zero, self.one - self.zero, np.nan)
        return np.asarray((raw - self.zero) / width)


def human_scale(games: tuple[str, ...]) -> Scale:
    """Return the scale from random (0) to human play (1); NaN for games without such scores."""
    known = [reference_scores().get(game) for game in games]
    zero, one = (
        np.array([np.nan if found is None else getattr(found, end) for found in known])
        for end in ("random", "human")
    )
    return Scale("human-normalised", zero, one)


def min_max_scale(raw: Mapping[str, Array]) -> Scale:
    """Return the scale from a game's lowest (0) to its highest run (1) over all arms.

    Args:
        raw: Raw scores by arm, each of shape (runs, games). A game without a finished run, or whose
            runs all score the same, has no scale.
    """
    runs = np.concatenate(list(raw.values()))
    there = np.isfinite(runs)
    zero = np.where(there, runs, np.inf).min(axis=0, initial=np.inf)
    one = np.where(there, runs, -np.inf).max(axis=0, initial=-np.inf)
    known = there.any(axis=0)
    return Scale("min-max", np.where(known, zero, np.nan), np.where(known, one, np.nan))


def choose_scale(games: tuple[str, ...], raw: Mapping[str, Array]) -> Scale:
    """Return the human scale if every game has human scores, else the one by min-max for all.

    Args:
        games: The experiment's games.
        raw: Raw scores by arm, each of shape (runs, games).
    """
    human = human_scale(games)
    return human if np.isfinite(human.zero).all() else min_max_scale(raw)
