"""Learning curves by game: functions that draw on the axes that they are given and save nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from coordconv_rl.arms import ARMS
from coordconv_rl.comparison.results import Results, curves, step_grid

Array = NDArray[np.float64]
# Okabe and Ito's palette (jfly.uni-koeln.de/color): told apart with every kind of colour vision.
_COLOURS = ("#555555", "#D55E00", "#CC79A7", "#009E73", "#E69F00", "#0072B2")
_LINE_STYLES = {"cnn": "--", "shuffled": ":"}


def arm_colour(arm: str) -> str:
    """Return an arm's colour, the same in every figure."""
    return dict(zip(ARMS, _COLOURS, strict=True))[arm]


def draw_learning_curves(axes: Axes, results: Results, algo: str, game: str) -> Axes:
    """Draw one game: each arm's mean over its seeds, with a band from the lowest to the highest.

    The legend says how many seeds are behind each line. Where a seed has no value, as before its
    first game or after it stopped, the mean is of fewer seeds and jumps: there the line is thin,
    without a band, and the legend says so.

    Args:
        axes: Where to.
        results: The experiment.
        algo: The algorithm.
        game: The game's Gymnasium name.
    """
    grid = step_grid(results.experiment)
    for arm in results.experiment.arms:
        rows = curves(results, algo, game, arm, grid)
        whole, part, low, high = mean_lines(rows)
        line: dict[str, Any] = {"color": arm_colour(arm), "linestyle": _LINE_STYLES.get(arm, "-")}
        axes.plot(grid, whole, label=f"{arm} ({_seeds(rows)})", **line)
        axes.plot(grid, part, linewidth=0.8, alpha=0.7, **line)
        if len(rows) > 1:
            axes.fill_between(grid, low, high, color=arm_colour(arm), alpha=0.15, linewidth=0)
    axes.set_title(f"{game} ({algo.upper()})")
    axes.set_xlim(0, results.experiment.steps)
    axes.ticklabel_format(axis="x", style="sci", scilimits=(-3, 5), useMathText=True)
    axes.set_xlabel("environment steps (4 frames each)")
    axes.set_ylabel("raw score")
    axes.spines[["top", "right"]].set_visible(False)
    say_if_empty(axes)
    axes.legend(frameon=False, fontsize="small")
    return axes


def say_if_empty(axes: Axes) -> None:
    """Write into axes whose lines all lack values that no game has ended yet."""
    if not any(np.isfinite(np.asarray(line.get_ydata(), float)).any() for line in axes.lines):
        axes.text(0.5, 0.5, "no training game has ended", ha="center", transform=axes.transAxes)
        axes.set_yticks([])


def mean_lines(rows: Array) -> tuple[Array, Array, Array, Array]:
    """Return the mean of all seeds, the mean of some, and the ends of the band.

    Args:
        rows: Learning curves, shape (seeds, grid steps), NaN where a seed has no value.

    Returns:
        Each of shape (grid steps,). The first has the mean where every seed has a value, the second
        where only some have, joined to the first at its ends; the last two have the lowest and the
        highest seed where every seed has a value. All are NaN elsewhere.
    """
    if not len(rows):
        return (np.full(rows.shape[1], np.nan),) * 4
    known = ~np.isnan(rows)
    counts = known.sum(axis=0)
    means = np.where(known, rows, 0.0).sum(axis=0) / np.maximum(counts, 1)
    every, some = counts == len(rows), (counts > 0) & (counts < len(rows))
    beside = some.copy()
    beside[1:] |= some[:-1]
    beside[:-1] |= some[1:]
    whole, low, high = (
        np.where(every, line, np.nan) for line in (means, rows.min(axis=0), rows.max(axis=0))
    )
    return whole, np.where(beside & (counts > 0), means, np.nan), low, high


def _seeds(rows: Array) -> str:
    counts = (~np.isnan(rows)).sum(axis=0)
    counts = counts[counts > 0]
    if not len(counts):
        return "n = 0"
    fewest = int(counts.min())
    return f"n = {len(rows)}" + (f", thin: {fewest}+" if fewest < len(rows) else "")


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
