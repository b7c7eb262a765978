"""The report's figures: drawn, saved as PNG and SVG, and described in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coordconv_rl.comparison.report import charts
from coordconv_rl.comparison.report.inspections import Inspection, by_arm
from coordconv_rl.comparison.report.svg import Drawing, save_figure, style
from coordconv_rl.comparison.report.tables import bounds, counted
from coordconv_rl.comparison.results import Results
from coordconv_rl.comparison.statistics import AlgoAnalysis, ArmEstimates
from coordconv_rl.configs import game_folder
from coordconv_rl.runs import TREATMENTS

WIDTH = 5.2  # inches
GAMES_APART = 12  # with more games than that, their learning curves share one figure
CHART_COLUMNS = 3


def draw_algo(found: Results, analysis: AlgoAnalysis, folder: Path) -> list[Drawing]:
    """Draw everything about one algorithm, and save it in the folder."""
    drawings = []
    with style():
        if analysis.arms:
            drawings += _draw_aggregates(analysis, folder)
        if analysis.comparisons:
            drawings.append(_draw_improvement(analysis, folder))
        return drawings + _draw_curves(found, analysis, folder)


def draw_inspections(inspected: list[Inspection], folder: Path) -> list[Drawing]:
    """Draw what happens to the score without coordinates, one figure a game, if they are few."""
    by_game: dict[tuple[str, str], dict[str, list[Inspection]]] = {}
    for (algo, game, arm), agents in by_arm(inspected).items():
        by_game.setdefault((algo, game), {})[arm] = agents
    if len({game for _, game in by_game}) > GAMES_APART:
        return []
    with style():
        return [_draw_use(*key, arms, folder) for key, arms in by_game.items()]


def learning_curves_figure(results: Results) -> Figure:
    """Make one figure with the learning curves of every game of every algorithm."""
    cells = [(algo, game) for algo in results.experiment.algos for game in results.games]
    columns = min(CHART_COLUMNS, len(cells))
    rows = -(-len(cells) // columns)
    figure = Figure(figsize=(WIDTH * columns, 3.6 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for cell, place in zip(cells, axes, strict=False):
        charts.draw_learning_curves(place, results, *cell)
    for place in axes[len(cells) :]:
        place.set_axis_off()
    figure.suptitle(
        f"{results.experiment.name}: mean over seeds, band from lowest to highest", fontsize=11
    )
    return figure


def _figure(height: float, plot: Callable[..., object], *arguments: Any) -> Figure:
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    plot(figure.subplots(), *arguments)
    return figure


def _draw_aggregates(analysis: AlgoAnalysis, folder: Path) -> list[Drawing]:
    """Draw the IQM by arm, the performance profile, and the IQM over the training."""
    algo, arms, scale = analysis.algo, analysis.arms, analysis.scale.name
    title = f"{scale[0].upper()}{scale[1:]}"
    bands = "Bands are 95% intervals." if _has_intervals(arms) else "Too few seeds for bands."
    spoken = "; ".join(
        f"{arm} {float(own.iqm.value):.3f}"
        + (f" ({between})" if (between := bounds(own.iqm)) else "")
        for arm, own in arms.items()
    )
    return [
        save_figure(
            _figure(0.9 + 0.45 * len(arms), charts.draw_iqm, arms, scale),
            folder,
            f"iqm_{algo}",
            f"Interquartile mean over {counted(len(analysis.shared), 'game')}, "
            f"{scale}{_ends(scale)}. {bands}",
            f"{title} IQM by arm: {spoken}.",
        ),
        save_figure(
            _figure(3.8, charts.draw_profile, analysis.thresholds, arms, scale),
            folder,
            f"profile_{algo}",
            f"Performance profile, {scale}: higher is better everywhere. {bands}"
            f"{_beyond(analysis)}",
            f"Share of runs above each {scale} score, one line an arm.",
        ),
        save_figure(
            _figure(3.8, charts.draw_efficiency, analysis.grid, arms, scale),
            folder,
            f"efficiency_{algo}",
            f"Sample efficiency, {scale}: IQM of the training's games, where all finished runs "
            f"have one. {bands}{_dotted(arms)}",
            f"{title} IQM over environment steps, one line an arm.",
        ),
    ]


def _ends(scale: str) -> str:
    low, high = "lowest and the highest", "run of a game over all arms"
    return f" between the {low} {high}" if scale == "min-max" else ""


def _beyond(analysis: AlgoAnalysis) -> str:
    """Say how many runs' scores lie beyond the profile's axis; nothing where none does."""
    columns = [game in analysis.shared for game in analysis.games]
    scores = np.concatenate([own.scaled[:, columns].ravel() for own in analysis.scores.values()])
    count = int((scores > analysis.thresholds[-1]).sum())
    verb = "lies" if count == 1 else "lie"
    return f" The scores of {counted(count, 'run')} {verb} beyond the axis." if count else ""


def _dotted(arms: Mapping[str, ArmEstimates]) -> str:
    if not any(charts.gaps(own.efficiency.value) for own in arms.values()):
        return ""
    return " Dots join a line where some run ended no game shortly before."


def _has_intervals(arms: Mapping[str, ArmEstimates]) -> bool:
    return any(own.iqm.low is not None for own in arms.values())


def _draw_improvement(analysis: AlgoAnalysis, folder: Path) -> Drawing:
    pairs = analysis.comparisons
    spoken = "; ".join(
        f"{pair.arm} against {pair.against} {float(pair.improvement.value):.2f}"
        + (f" ({between})" if (between := bounds(pair.improvement)) else "")
        for pair in pairs
    )
    return save_figure(
        _figure(0.9 + 0.55 * len(pairs), charts.draw_improvement, pairs),
        folder,
        f"improvement_{analysis.algo}",
        "How often a run of one arm beats one of the other on the same game; the dashed line is "
        "even chance. Bands are 95% intervals, where there are enough seeds.",
        f"Probability of improvement: {spoken}.",
    )


def _draw_curves(found: Results, analysis: AlgoAnalysis, folder: Path) -> list[Drawing]:
    """Draw the learning curves: a figure a game, or one for all where there are many."""
    algo, games = analysis.algo, analysis.games
    caption = (
        "Raw score over training: mean over seeds, band from the lowest to the highest; thin where "
        "only some of the seeds have a game, dots where none has."
    )
    spoken = "Raw score over environment steps, one line an arm:"
    if len(games) <= GAMES_APART:
        return [
            save_figure(
                _figure(3.8, _draw_game, found, algo, game),
                folder,
                f"learning_curves_{algo}_{game_folder(game)}",
                f"{game}. {caption}",
                f"{spoken} {game}. The final scores are in the table of games.",
            )
            for game in games
        ]
    text = f"{spoken} {counted(len(games), 'game')}. The final scores are in the table of games."
    figure = _draw_many(found, analysis)
    return [save_figure(figure, folder, f"learning_curves_{algo}", caption, text, wide=True)]


def _draw_many(found: Results, analysis: AlgoAnalysis) -> Figure:
    """Draw every game small, with one legend for all: placed by hand, as it takes half the time."""
    rows = -(-len(analysis.games) // CHART_COLUMNS)
    height = 2.4 * rows + 0.8
    figure = Figure(figsize=(4 * CHART_COLUMNS, height))
    top, bottom = 1 - 0.8 / height, 0.4 / height
    figure.subplots_adjust(0.06, bottom, 0.99, top, wspace=0.25, hspace=0.4)
    places = figure.subplots(rows, CHART_COLUMNS).ravel()
    for place, game in zip(places, analysis.games, strict=False):
        charts.draw_learning_curves(place, found, analysis.algo, game)
        place.set(xlabel="", ylabel="", title=game)
        place.get_legend().remove()
    for place in places[len(analysis.games) :]:
        place.set_axis_off()
    lines, labels = places[0].get_legend_handles_labels()
    figure.legend(
        lines,
        [label.split(" (")[0] for label in labels],
        loc="upper center",
        ncols=len(lines),
        frameon=False,
    )
    return figure


def _draw_game(axes: Axes, found: Results, algo: str, game: str) -> None:
    charts.draw_learning_curves(axes, found, algo, game)
    charts.legend_below(axes)


def _draw_use(algo: str, game: str, arms: Mapping[str, list[Inspection]], folder: Path) -> Drawing:
    """Draw what disturbed coordinates do to the scores of one game."""
    rows = {arm: [agent.means for agent in agents] for arm, agents in arms.items()}
    figure = _figure(1.3 + 0.75 * len(rows), charts.draw_use, rows)
    figure.axes[0].set_xlabel(f"mean raw score, {game} ({algo.upper()})")
    spoken = "; ".join(
        f"{arm}: "
        + ", ".join(f"{name} {fmean(agent[name] for agent in own):.1f}" for name in TREATMENTS)
        for arm, own in rows.items()
    )
    return save_figure(
        figure,
        folder,
        f"inspection_{algo}_{game_folder(game)}",
        f"{game}: mean raw score with the coordinate channels as trained, zeroed and permuted. "
        "A point is an agent, a bar the mean over seeds.",
        f"{game}, mean raw scores over seeds. {spoken}.",
    )
