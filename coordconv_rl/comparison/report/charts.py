"""The report's figures of aggregates: each draws on the axes that it is given and saves nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from matplotlib.axes import Axes

from coordconv_rl.comparison.report.curves import arm_colour, say_if_empty
from coordconv_rl.comparison.statistics import THRESHOLDS, ArmEstimates, Array, Comparison, Estimate

LEGEND_COLUMN = 18  # characters of which three columns fit below a chart of the report
# Marker and colour (Okabe and Ito's palette) by what happens to the coordinates.
_TREATMENTS = {
    "trained": ("o", "#0072B2"),
    "zeroed": ("s", "#E69F00"),
    "permuted": ("^", "#CC79A7"),
}


def draw_iqm(axes: Axes, arms: Mapping[str, ArmEstimates]) -> None:
    """Draw each arm's interquartile mean with its interval."""
    rows = [(arm, own.iqm, arm_colour(arm)) for arm, own in arms.items()]
    _draw_intervals(axes, rows)
    axes.locator_params(axis="x", nbins=6)
    axes.set_xlabel("IQM, human-normalised score")


def draw_improvement(axes: Axes, pairs: Sequence[Comparison]) -> None:
    """Draw each pair's probability of improvement with its interval; even chance is a line."""
    axes.axvline(0.5, color="0.6", linewidth=1, linestyle="--")
    _draw_intervals(
        axes,
        [(f"{p.arm}\nagainst {p.against}", p.improvement, arm_colour(p.arm)) for p in pairs],
    )
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel("probability of improvement")


def draw_profile(axes: Axes, arms: Mapping[str, ArmEstimates]) -> None:
    """Draw the share of runs above each human-normalised score."""
    for arm, own in arms.items():
        _draw_band(axes, THRESHOLDS, own.profile, arm)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("human-normalised score")
    axes.set_ylabel("share of runs above it")
    legend_below(axes)


def draw_efficiency(axes: Axes, grid: Array, arms: Mapping[str, ArmEstimates]) -> None:
    """Draw the interquartile mean over the training.

    Args:
        axes: Where to.
        grid: Environment steps.
        arms: Aggregates by arm.
    """
    for arm, own in arms.items():
        _draw_band(axes, grid, own.efficiency, arm)
    axes.set_xlim(0, grid[-1])
    axes.set_xlabel("environment steps")
    axes.set_ylabel("IQM, human-normalised")
    say_if_empty(axes)
    legend_below(axes)


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
            label = name if place == 0 else None
            axes.plot(scores, [height] * len(scores), marker, color=colour, alpha=0.6, label=label)
            axes.plot(fmean(scores), height, "|", color=colour, markersize=14, markeredgewidth=3)
    axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    _label_rows(axes, list(arms))


def legend_below(axes: Axes) -> None:
    """Put the legend under the axes, where it hides no line."""
    labels = axes.get_legend_handles_labels()[1]
    longest = max(map(len, labels), default=0)
    axes.legend(
        frameon=False,
        fontsize="small",
        loc="upper center",
        bbox_to_anchor=(0.45, -0.18),
        ncols=3 if longest <= LEGEND_COLUMN else 2,
        columnspacing=1.0,
        handlelength=1.5,
    )


def _draw_intervals(axes: Axes, rows: Sequence[tuple[str, Estimate, str]]) -> None:
    for place, (_, found, colour) in enumerate(rows):
        if found.low is not None and found.high is not None:
            axes.barh(place, found.high - found.low, 0.5, found.low, color=colour, alpha=0.35)
        axes.plot(found.value, place, "|", color=colour, markersize=20, markeredgewidth=3)
    _label_rows(axes, [label for label, _, _ in rows])


def _label_rows(axes: Axes, labels: Sequence[str]) -> None:
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.grid(axis="x", color="0.6", alpha=0.4)


def _draw_band(axes: Axes, x: Array, found: Estimate, arm: str) -> None:
    colour = arm_colour(arm)
    axes.plot(x, found.value, color=colour, label=arm)
    if found.low is not None and found.high is not None:
        axes.fill_between(x, found.low, found.high, color=colour, alpha=0.2, linewidth=0)
    axes.grid(color="0.6", alpha=0.4)
