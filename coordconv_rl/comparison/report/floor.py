"""Where arms score next to nothing: what a small difference between them does not say."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from coordconv_rl.comparison.report.tables import number
from coordconv_rl.comparison.statistics import AlgoAnalysis, Comparison, tiny_range_games

LEARNT = 0.03  # of the way from random to human play, less than which is as good as nothing
ZEROS = {"human-normalised": "random play", "min-max": "a game's lowest run"}


def hardly_learnt(analysis: AlgoAnalysis) -> Iterator[str]:
    """Say where no arm plays better than at random, as after too few steps.

    Only human-normalised scores tell: of other games it is not known what random play scores.
    """
    marked = sorted(tiny_range_games(analysis.scale) & set(analysis.shared))
    if analysis.scale.name != "human-normalised" or not set(analysis.shared) - set(marked):
        return
    means = {
        arm: float((own.mean_unmarked or own.mean).value) for arm, own in analysis.arms.items()
    }
    if max(means.values()) < LEARNT:
        without = f" without {' and '.join(marked)}" if marked else ""
        each = ", ".join(f"{arm} {number(mean, 2).text}" for arm, mean in means.items())
        yield (
            f"Hardly anything was learnt: the mean human-normalised score{without} is below "
            f"{LEARNT:g} for every arm ({each}), where 0 is random and 1 is human play. Agents "
            "near random play can show little of what coordinates do for those that learn."
        )


def is_near_zero(pair: Comparison, margin: float) -> bool:
    """Return whether both arms score so little that the margin cannot tell them apart.

    Two arms of which neither's mean reaches twice the margin could differ by less than it even if
    one scored half of what the other does, so that to call them equal would say nothing of them.
    """
    return pair.means is not None and bool(np.max(pair.means) < 2 * margin)


def near_zero(analysis: AlgoAnalysis, pair: Comparison, margin: float) -> str:
    """Return what to add to "they differ by less than the margin"; empty where that says enough."""
    if pair.means is None or not is_near_zero(pair, margin):
        return ""
    first, second = (number(float(mean), 2).text for mean in pair.means)
    zero = ZEROS[analysis.scale.name]
    return f", but so may any arms that score as little ({first} and {second}; 0 is {zero})"
