"""Learning curves by game: functions that draw on the axes that they are given and save nothing."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coordconv_rl.arms import ARMS
from coordconv_rl.comparison.results import Results, curves, step_grid

# Okabe and Ito's palette (jfly.uni-koeln.de/color): told apart with every kind of colour vision.
_COLOURS = ("#555555", "#D55E00", "#CC79A7", "#009E73", "#E69F00", "#0072B2")
_LINE_STYLES = {"cnn": "--", "shuffled": ":"}


def arm_colour(arm: str) -> str:
    """Return an arm's colour, the same in every figure."""
    return dict(zip(ARMS, _COLOURS, strict=True))[arm]


def draw_learning_curves(axes: Axes, results: Results, algo: str, game: str) -> Axes:
    """Draw one game: each arm's mean over its seeds, with a band from the lowest to the highest.

    The legend says how many seeds are behind each line. A line ends where the last seed has come
    to; where seeds differ in length, the mean is of those that have come so far.

    Args:
        axes: Where to.
        results: The experiment.
        algo: The algorithm.
        game: The game's Gymnasium name.
    """
    grid = step_grid(results.experiment)
    for arm in results.experiment.arms:
        rows = curves(results, algo, game, arm, grid)
        known = ~np.isnan(rows).all(axis=0) if len(rows) else np.zeros(len(grid), dtype=bool)
        seen, steps = rows[:, known], grid[known]
        colour, dashes = arm_colour(arm), _LINE_STYLES.get(arm, "-")
        behind = [int(count) for count in (~np.isnan(seen)).sum(axis=0)] or [0]
        label = f"{arm} (n = {max(behind)}" + (
            ")" if behind[-1] == max(behind) else f", {behind[-1]} at the end)"
        )
        means = np.nanmean(seen, axis=0) if len(steps) else []
        axes.plot(steps, means, label=label, color=colour, linestyle=dashes)
        if len(rows) > 1 and len(steps):
            low, high = np.nanmin(seen, axis=0), np.nanmax(seen, axis=0)
            axes.fill_between(steps, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.set_title(f"{game} ({algo.upper()})")
    axes.set_xlim(0, results.experiment.steps)
    axes.ticklabel_format(axis="x", style="sci", scilimits=(-3, 5), useMathText=True)
    axes.set_xlabel("environment steps (4 frames each)")
    axes.set_ylabel("raw score")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize="small")
    return axes


def learning_curves_figure(results: Results, columns: int = 3) -> Figure:
    """Make a figure with every game of every algorithm.

    Args:
        results: The experiment.
        columns: Most charts in a row.
    """
    cells = [(algo, game) for algo in results.experiment.algos for game in results.games]
    columns = min(columns, len(cells))
    rows = -(-len(cells) // columns)
    figure = Figure(figsize=(5.2 * columns, 3.6 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for cell, place in zip(cells, axes, strict=False):
        draw_learning_curves(place, results, *cell)
    for place in axes[len(cells) :]:
        place.set_axis_off()
    figure.suptitle(
        f"{results.experiment.name}: mean over seeds, band from lowest to highest", fontsize=11
    )
    return figure
