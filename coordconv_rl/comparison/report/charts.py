"""The report's charts: each draws on the axes that it is given and saves nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import fmean
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from coordconv_rl.comparison.learning_curves import curves, step_grid
from coordconv_rl.comparison.report.looks import ArmLook, arm_look
from coordconv_rl.comparison.report.tables import counted
from coordconv_rl.comparison.results import Results
from coordconv_rl.comparison.statistics import ArmEstimates, Array, Comparison, Estimate

LEGEND_COLUMNS = {18: 3, 36: 2}  # characters of a label of which so many fit below a chart
LEGEND_ROWS = 3  # that fit below a chart; each one more makes the figure higher
ROW_INCHES = 0.19
FEW_ARMS = 3  # with more, bands are fainter, since they lie over each other
# Marker and colour by what happens to the coordinates.
_TREATMENTS = {
    "trained": ("o", "#0072B2"),
    "zeroed": ("s", "#E69F00"),
    "permuted": ("^", "#CC79A7"),
}


def draw_learning_curves(axes: Axes, results: Results, algo: str, game: str) -> None:
    """Draw one game: each arm's mean over its seeds, with a band from the lowest to the highest.

    Where a seed has no value, as before its first game or after it stopped, the mean is of fewer
    seeds and jumps: there the line is thin, without a band, and the legend says of how many seeds.
    Where no seed has a value, dots join what is before and after.

    Args:
        axes: Where to.
        results: The experiment.
        algo: The algorithm.
        game: The game's Gymnasium name.
    """
    grid = step_grid(results.experiment)
    shade = 0.15 if len(results.experiment.arm_labels) <= FEW_ARMS else 0.06
    for arm in results.experiment.arm_labels:
        rows = curves(results, algo, game, arm, grid)
        whole, part, low, high = mean_lines(rows)
        look = arm_look(arm)
        line: dict[str, Any] = {"color": look.colour, "linestyle": look.line}
        axes.plot(grid, whole, label=f"{arm} ({_seeds(rows)})", **line)
        axes.plot(grid, part, linewidth=0.8, alpha=0.7, **line)
        _draw_gaps(axes, grid, np.where(np.isnan(whole), part, whole), look.colour)
        if len(rows) > 1:
            axes.fill_between(grid, low, high, color=look.colour, alpha=shade, linewidth=0)
    axes.set_title(f"{game} ({algo.upper()})")
    axes.set_xlim(0, results.experiment.steps)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.set(xlabel="environment steps", ylabel="raw score")
    axes.spines[["top", "right"]].set_visible(False)
    _say_if_empty(axes)
    axes.legend(frameon=False, fontsize="small")


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
    """Say how many seeds are behind a line, and how few where it is thin."""
    counts = (~np.isnan(rows)).sum(axis=0)
    counts = counts[counts > 0]
    fewest = int(counts.min()) if len(counts) else len(rows)
    if fewest == len(rows):
        return counted(len(rows), "seed") if len(rows) else "no game yet"
    least = "" if fewest == len(rows) - 1 else "at least "
    return f"{counted(len(rows), 'seed')}; {least}{fewest} where thin"


def draw_iqm(axes: Axes, arms: Mapping[str, ArmEstimates], scale: str) -> None:
    """Draw each arm's interquartile mean with its interval, on the scale that is named."""
    rows = [(arm, own.iqm, arm_look(arm)) for arm, own in arms.items()]
    _draw_intervals(axes, rows)
    axes.locator_params(axis="x", nbins=6)
    axes.set_xlabel(f"IQM, {scale} score")


def draw_improvement(axes: Axes, pairs: Sequence[Comparison]) -> None:
    """Draw each pair's probability of improvement with its interval; even chance is a line."""
    axes.axvline(0.5, color="0.6", linewidth=1, linestyle="--")
    _draw_intervals(
        axes,
        [(f"{p.arm}\nagainst {p.against}", p.improvement, arm_look(p.arm)) for p in pairs],
    )
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel("probability of improvement")


def draw_profile(
    axes: Axes, thresholds: Array, arms: Mapping[str, ArmEstimates], scale: str
) -> None:
    """Draw the share of runs above each score on the scale that is named."""
    for arm, own in arms.items():
        _draw_band(axes, thresholds, own.profile, arm)
    axes.set_xlim(thresholds[0], _last_shown(thresholds, arms))
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel(f"{scale} score")
    axes.set_ylabel("share of runs above it")
    legend_below(axes)


def _last_shown(thresholds: Array, arms: Mapping[str, ArmEstimates]) -> float:
    """Return a little more than the highest score that a run or a band reaches.

    Scores far below the scale's end, as after a short training, would all lie at the left edge.
    """
    ends = [
        own.profile.value if own.profile.high is None else own.profile.high for own in arms.values()
    ]
    reached = np.flatnonzero(np.any(np.asarray(ends) > 0, axis=0))
    last = len(thresholds) - 1
    more = int(reached[-1] * 1.1) + 2 if len(reached) else last
    return float(thresholds[min(more, last)])


def draw_efficiency(axes: Axes, grid: Array, arms: Mapping[str, ArmEstimates], scale: str) -> None:
    """Draw the interquartile mean over the training; dots join a line across missing points.

    Args:
        axes: Where to.
        grid: Environment steps.
        arms: Aggregates by arm.
        scale: The name of their scale.
    """
    for arm, own in arms.items():
        _draw_band(axes, grid, own.efficiency, arm)
        _draw_gaps(axes, grid, own.efficiency.value, arm_look(arm).colour)
    axes.set_xlim(0, grid[-1])
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.set(xlabel="environment steps", ylabel=f"IQM, {scale}")
    _say_if_empty(axes)
    legend_below(axes)


def gaps(line: Array) -> list[tuple[int, int]]:
    """Return the holes in a line: the known points just before and just after each.

    What is missing before its first or after its last known point is no hole.
    """
    known = np.flatnonzero(~np.isnan(line))
    return [(int(a), int(b)) for a, b in pairwise(known) if b - a > 1]


def draw_use(axes: Axes, arms: Mapping[str, Sequence[Mapping[str, float]]]) -> None:
    """Draw the scores of agents with their coordinates as trained and disturbed.

    Args:
        axes: Where to; those of one game, whose raw score is the axis.
        arms: By arm, for each of its agents, the mean raw score by treatment.
    """
    for lane, (name, (marker, colour)) in enumerate(_TREATMENTS.items()):
        for place, agents in enumerate(arms.values()):
            scores = [agent[name] for agent in agents]
            height = place + (lane - 1) * 0.25
            words = "coordinates as trained" if name == "trained" else name
            label = words if place == 0 else None
            axes.plot(scores, [height] * len(scores), marker, color=colour, alpha=0.6, label=label)
            axes.plot(fmean(scores), height, "|", color=colour, markersize=14, markeredgewidth=3)
    axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    _label_rows(axes, list(arms))


def legend_below(axes: Axes) -> None:
    """Put the legend under the axes, where it hides no line."""
    labels = axes.get_legend_handles_labels()[1]
    longest = max(map(len, labels), default=0)
    columns = next((count for most, count in LEGEND_COLUMNS.items() if longest <= most), 1)
    figure = axes.figure
    more = -(-len(labels) // columns) - LEGEND_ROWS
    if isinstance(figure, Figure) and more > 0:
        figure.set_figheight(figure.get_figheight() + more * ROW_INCHES)
    axes.legend(
        frameon=False,
        fontsize="small",
        loc="upper center",
        bbox_to_anchor=(0.45, -0.18),
        ncols=columns,
        columnspacing=1.0,
        handlelength=2.2,
    )


def _draw_intervals(axes: Axes, rows: Sequence[tuple[str, Estimate, ArmLook]]) -> None:
    axes.use_sticky_edges = False  # or the lowest bar touches the edge, and seems cut off
    for place, (_, found, look) in enumerate(rows):
        if found.low is not None and found.high is not None:
            width = found.high - found.low
            axes.barh(place, width, 0.5, found.low, color=look.colour, alpha=0.35)
        axes.plot(found.value, place, "|", color=look.colour, markersize=20, markeredgewidth=3)
    _label_rows(axes, [label for label, _, _ in rows])


def _label_rows(axes: Axes, labels: Sequence[str]) -> None:
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.grid(axis="x", color="0.6", alpha=0.4)


def _draw_band(axes: Axes, x: Array, found: Estimate, arm: str) -> None:
    look = arm_look(arm)
    axes.plot(x, found.value, color=look.colour, linestyle=look.line, label=arm)
    if found.low is not None and found.high is not None:
        axes.fill_between(x, found.low, found.high, color=look.colour, alpha=0.15, linewidth=0)
    axes.grid(color="0.6", alpha=0.4)


def _draw_gaps(axes: Axes, x: Any, line: Array, colour: str) -> None:
    for pair in map(list, gaps(line)):
        axes.plot(x[pair], line[pair], color=colour, linestyle=(0, (1, 3)), linewidth=1)


def _say_if_empty(axes: Axes) -> None:
    """Write into axes whose lines all lack values that no game has ended yet."""
    if not any(np.isfinite(np.asarray(line.get_ydata(), float)).any() for line in axes.lines):
        axes.text(0.5, 0.5, "no training game has ended", ha="center", transform=axes.transAxes)
        axes.set_yticks([])
