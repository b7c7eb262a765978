"""Where agents play as at random: what a small difference between arms does not say then.

Only human-normalised scores tell. Of other games it is not known what random play scores: the zero
of a min-max scale is the lowest run, however good that is.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from coordconv_rl.comparison.statistics import AlgoAnalysis, Comparison, tiny_range_games

LITTLE = 0.03  # of the way from random to human play: less, on average, is as good as nothing
SOME = 0.1  # the same of a single game


def hardly_learnt(analysis: AlgoAnalysis) -> Iterator[str]:
    """Say where no arm plays otherwise than at random in any game, as after too few steps."""
    marked = sorted(tiny_range_games(analysis.scale) & set(analysis.shared))
    if analysis.scale.name != "human-normalised" or not set(analysis.shared) - set(marked):
        return
    distances = {arm: np.abs(own.by_game) for arm, own in analysis.arms.items()}
    if all(each.mean() < LITTLE and each.max() < SOME for each in distances.values()):
        without = f" without {' and '.join(marked)}" if marked else ""
        means = ", ".join(
            f"{arm} {_three_digits(own.by_game.mean())}" for arm, own in analysis.arms.items()
        )
        yield (
            f"Hardly anything was learnt: mean human-normalised scores{without} are {means}, where "
            "0 is random and 1 is human play. Agents near random play can show little of what "
            "coordinates do for those that learn."
        )


def is_near_random(analysis: AlgoAnalysis, pair: Comparison, margin: float) -> bool:
    """Return whether both arms play so nearly at random that a margin cannot tell them apart.

    Two arms that are both less than twice the margin from random play could differ by less than it
    even if one had learnt twice what the other has: to call them equal would say nothing of them.
    """
    if analysis.scale.name != "human-normalised" or not pair.means.size:
        return False
    return bool(np.abs(pair.means).max() < min(2 * margin, SOME))


def near_random(analysis: AlgoAnalysis, pair: Comparison, margin: float) -> str:
    """Return what to add to "they differ by less than the margin"; empty where that says enough."""
    if not is_near_random(analysis, pair, margin):
        return ""
    first, second = map(_three_digits, pair.means.mean(axis=1))
    return f", but so may any arms as near to random play, which is 0 ({first} and {second})"


def _three_digits(value: float) -> str:
    return f"{round(float(value), 3) + 0.0:.3f}"  # no zero with a sign
