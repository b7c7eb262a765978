"""`python -m benchmarks.overview`: the comparisons in `results/` in one picture and one table.

A row is a pair of arms over some games of one comparison: how likely a run of the first beats a
run of the second on the same game, with the interval that the comparison's own report has.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from coordconv_rl.comparison.report import counted
from coordconv_rl.comparison.results import Results, read_results
from coordconv_rl.comparison.statistics import collect_scores, estimators
from coordconv_rl.comparison.statistics.bootstrap import Estimate, fewest_seeds
from coordconv_rl.comparison.statistics.pairs import with_interval
from coordconv_rl.errors import InputError

ABOVE, BELOW, OPEN = "#0072B2", "#D55E00", "#555555"  # Okabe and Ito's palette
FLAT, POOL = ("coordconv", "cnn"), ("coordconv-pool", "cnn-pool")
CONTROL, ZERO, ACTOR = ("shuffled", "cnn"), ("coordconv-zero", "cnn"), ("coordconv-actor", "cnn")
OTHERS = "Flattened head: other arms with coordinates against cnn"
TITLES = {
    FLAT: "Flattened head: coordconv against cnn",
    CONTROL: "Flattened head: shuffled, the control, against cnn",
    ZERO: OTHERS,
    ACTOR: OTHERS,
    POOL: "Pooled head: coordconv-pool against cnn-pool",
}


@dataclass(frozen=True)
class Row:
    """What one line of the picture is of.

    Attributes:
        folder: The comparison's folder in `results/`.
        label: What a reader calls it.
        pair: The arm and the one that it is compared with.
        games: The games; all of the comparison's if empty.
        algo: The algorithm.
    """

    folder: str
    label: str
    pair: tuple[str, str] = FLAT
    games: tuple[str, ...] = ()
    algo: str = "ppo"


ROWS = (
    Row("minatar-ppo", "MinAtar"),
    Row("zero-start", "two of its games, fresh seeds"),
    Row("actor-alone", "the same, fresh seeds again"),
    Row("learning-rate-half", "the same, half the learning rate"),
    Row("learning-rate-twice", "the same, twice the learning rate"),
    Row("minatar-a2c", "MinAtar, A2C", algo="a2c"),
    Row("atari-heads", "Atari, 100,000 steps: hardly anything learnt"),
    Row("atari-learnt", "Atari, games that are learnt in 200,000 steps"),
    Row("pong", "Pong, 3,000,000 steps"),
    Row("place", "a game in which place alone tells", games=("which-half",)),
    Row("place", "a game in which place says nothing", games=("which-way",)),
    Row("minatar-ppo", "MinAtar", CONTROL),
    Row("minatar-a2c", "MinAtar, A2C", CONTROL, algo="a2c"),
    Row("atari-heads", "Atari, 100,000 steps: hardly anything learnt", CONTROL),
    Row("atari-learnt", "Atari, games that are learnt in 200,000 steps", CONTROL),
    Row("place", "a game in which place alone tells", CONTROL, ("which-half",)),
    Row("place", "a game in which place says nothing", CONTROL, ("which-way",)),
    Row("zero-start", "their weights begin at zero, MinAtar", ZERO),
    Row("actor-alone", "for the actor alone, MinAtar", ACTOR),
    Row("minatar-ppo", "MinAtar", POOL),
    Row("minatar-a2c", "MinAtar, A2C", POOL, algo="a2c"),
    Row("atari-heads", "Atari, 100,000 steps: hardly anything learnt", POOL),
    Row("place", "a game in which place alone tells", POOL, ("which-half",)),
    Row("place", "a game in which place says nothing", POOL, ("which-way",)),
)
"""What is compared, in the picture's order; a folder that is not there is left out."""


@dataclass(frozen=True)
class Found:
    """What a row came to.

    Attributes:
        row: The row.
        games: How many games it is over.
        seeds: The smallest number of runs of either arm in a game.
        improvement: The probability of improvement, with its interval if there are enough seeds.
    """

    row: Row
    games: int
    seeds: int
    improvement: Estimate

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The interval's ends; None under `MIN_SEEDS` seeds."""
        low, high = self.improvement.low, self.improvement.high
        return None if low is None or high is None else (float(low), float(high))

    @property
    def colour(self) -> str:
        """By what the interval carries: above even chance, below it, or neither."""
        low, high = self.bounds or (0.0, 1.0)
        return ABOVE if low > 0.5 else BELOW if high < 0.5 else OPEN

    @property
    def value(self) -> str:
        """The probability in words, with its interval."""
        value = _rounded(float(self.improvement.value))
        if self.bounds and self.bounds[0] == self.bounds[1]:  # a bootstrap cannot say how far off
            return f"{value} ({'every' if self.bounds[0] > 0.5 else 'no'} pair of runs)"
        return f"{value} ({' to '.join(map(_rounded, self.bounds))})" if self.bounds else value

    @property
    def size(self) -> str:
        """How many games and seeds."""
        return f"{counted(self.games, 'game')}, {counted(self.seeds, 'seed')}"


def _rounded(value: float) -> str:
    """Return two decimals, halves upwards: probabilities of few runs often end in a half."""
    return f"{np.floor(value * 100 + 0.5 + 1e-9) / 100:.2f}"


@dataclass(frozen=True)
class Options:
    """Draw the comparisons in one picture, and print the numbers.

    Attributes:
        results: The folder of the comparisons' folders.
        out: The picture, a PNG.
    """

    results: Path = Path("results")
    out: Path = Path("docs/evidence-overview.png")


def look_at(row: Row, found: Results) -> Found:
    """Return what a row came to.

    Raises:
        InputError: The comparison lacks an arm, a game, or finished runs of either arm.
    """
    games = row.games or found.games
    scores, _ = collect_scores(found, row.algo)
    if missing := [*({*games} - {*found.games}), *({*row.pair} - scores.keys())]:
        raise InputError(f"{row.folder} has no {missing[0]}")
    columns = [found.games.index(game) for game in games]
    x, y = (scores[arm].raw[:, columns] for arm in row.pair)
    seeds = min(fewest_seeds(x), fewest_seeds(y))
    if not seeds:
        raise InputError(f"{row.folder}: a game has no finished run of {' or '.join(row.pair)}")
    improvement = with_interval(estimators.probability_of_improvement, x, y)
    return Found(row, len(games), seeds, improvement)


def look_at_all(results: Path, rows: Sequence[Row]) -> list[Found]:
    """Return what each row came to whose folder is there.

    Raises:
        InputError: None is.
    """
    there = [row for row in rows if (results / row.folder).is_dir()]
    if not there:
        raise InputError(f"{results} holds none of the comparisons: name the folder of a checkout")
    read = {name: read_results(results / name) for name in {row.folder for row in there}}
    return [look_at(row, read[row.folder]) for row in there]


def draw(found: Sequence[Found]) -> Figure:
    """Draw one line a row, in groups by pair, with even chance as a dashed line."""
    titles = [TITLES.get(one.row.pair, " against ".join(one.row.pair)) for one in found]
    groups = list(dict.fromkeys(titles))
    lines = len(found) + len(groups)
    figure = Figure(figsize=(9.5, 0.7 + 0.27 * lines), layout="constrained")
    axes = figure.subplots()
    axes.axvline(0.5, color="0.6", linewidth=1, linestyle="--")
    place, labels = 0, {}
    for title in groups:
        axes.text(-0.02, place, title, va="center", ha="right", weight="bold")
        place += 1
        for one in (each for each, its in zip(found, titles, strict=True) if its == title):
            _draw_line(axes, place, one)
            labels[place] = f"{one.row.label} ({one.size})"
            place += 1
    axes.set_yticks(list(labels), list(labels.values()))
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(place - 0.4, -0.6)
    axes.set_xlim(0, 1)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.set_xlabel("how often a run of the first arm scores higher in the same game, 95% interval")
    return figure


def _draw_line(axes: Axes, place: int, one: Found) -> None:
    if one.bounds:
        axes.plot(one.bounds, [place, place], color=one.colour, linewidth=3, alpha=0.6)
    axes.plot(one.improvement.value, place, "o", color=one.colour, clip_on=False)
    axes.text(1.04, place, one.value, va="center", color=one.colour)


def table(found: Sequence[Found]) -> Table:
    """Return the numbers as a table."""
    shown = Table("pair", "comparison", "games and seeds", "probability of improvement (95%)")
    for one in found:
        shown.add_row(" against ".join(one.row.pair), one.row.label, one.size, one.value)
    return shown


def main() -> int:
    """Run the command; 2 for a folder without comparisons."""
    options = tyro.cli(Options)
    try:
        found = look_at_all(options.results, ROWS)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    Console(width=130).print(table(found))
    draw(found).savefig(options.out, dpi=144)
    print(options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
