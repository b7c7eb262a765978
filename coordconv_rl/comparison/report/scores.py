"""Each game's score by arm, and the human-normalised aggregate, with the runs behind each number.

Statistics with intervals are the report's; these are the plain numbers at the end of a comparison.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from coordconv_rl.comparison.results import Results, final_scores, score_sources
from coordconv_rl.envs import TINY_RANGE_GAMES, human_normalised

CSV_COLUMNS = ("algo", "game", "arm", "mean", "std", "n", "planned", "human_normalised", "source")


@dataclass(frozen=True)
class CellScore:
    """One arm on one game.

    Attributes:
        mean: Mean raw score over the seeds that are done; None if none is.
        std: Standard deviation over seeds (n - 1); None for fewer than two.
        n: Seeds that are done and have a score.
        planned: Seeds of the plan.
        normalised: The mean, human-normalised; None without reference scores.
    """

    mean: float | None
    std: float | None
    n: int
    planned: int
    normalised: float | None

    def __str__(self) -> str:
        """The cell's text: mean, spread and n of N."""
        count = f"({self.n} of {self.planned})"
        if self.mean is None:
            return f"- {count}"
        spread = "" if self.std is None else f" ± {self.std:,.1f}"
        return f"{self.mean:,.1f}{spread} {count}"


@dataclass(frozen=True)
class ScoreTable:
    """One algorithm's scores.

    Attributes:
        algo: The algorithm.
        cells: By game and arm.
        sources: Where scores come from: "evaluation", "training" or both.
    """

    algo: str
    cells: dict[str, dict[str, CellScore]]
    sources: tuple[str, ...]

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms, in the experiment's order."""
        return tuple(next(iter(self.cells.values())))

    def aggregate(self, *, tiny_ranges: bool = True) -> tuple[dict[str, float], int]:
        """Human-normalised scores by arm, averaged over games that every arm has a score for.

        Args:
            tiny_ranges: Whether games whose human and random scores nearly meet count.

        Returns:
            The means, none of them if no game is left; and how many games are behind them.
        """
        games = [game for game in self.cells if tiny_ranges or game not in TINY_RANGE_GAMES]
        rows = [[self.cells[game][arm].normalised for arm in self.arms] for game in games]
        whole = np.array([row for row in rows if None not in row], dtype=np.float64)
        if not len(whole):
            return {}, 0
        return dict(zip(self.arms, whole.mean(axis=0).tolist(), strict=True)), len(whole)

    def rows(self) -> list[tuple[str, ...]]:
        """The table's rows as text: games, then the aggregates."""
        marked = {game: game + ("*" if game in TINY_RANGE_GAMES else "") for game in self.cells}
        rows = [(marked[game], *map(str, row.values())) for game, row in self.cells.items()]
        rows.append(self._aggregate_row("human-normalised mean", tiny_ranges=True))
        if TINY_RANGE_GAMES & set(self.cells):
            rows.append(self._aggregate_row("the same without *", tiny_ranges=False))
        return rows

    def _aggregate_row(self, title: str, *, tiny_ranges: bool) -> tuple[str, ...]:
        means, games = self.aggregate(tiny_ranges=tiny_ranges)
        cells = (f"{means[arm]:.3f}" if means else "-" for arm in self.arms)
        return (f"{title} ({games} of {len(self.cells)} games)", *cells)


def make_score_tables(results: Results) -> tuple[ScoreTable, ...]:
    """Make one table for each algorithm."""
    return tuple(_score_table(results, algo) for algo in results.experiment.algos)


def _score_table(results: Results, algo: str) -> ScoreTable:
    scores = final_scores(results, algo)
    planned = len(results.experiment.seeds)
    cells = {
        game: {
            arm: _cell(game, list(scores[arm][game].values()), planned)
            for arm in results.experiment.arms
        }
        for game in results.games
    }
    return ScoreTable(algo, cells, score_sources(results, algo))


def _cell(game: str, scores: list[float], planned: int) -> CellScore:
    if not scores:
        return CellScore(None, None, 0, planned, None)
    mean = float(np.mean(scores))
    std = float(np.std(scores, ddof=1)) if len(scores) > 1 else None
    return CellScore(mean, std, len(scores), planned, human_normalised(game, mean))


def to_csv(tables: Iterable[ScoreTable]) -> str:
    """Return all cells as CSV, one line each."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for table in tables:
        source = "+".join(table.sources)
        for game, row in table.cells.items():
            for arm, cell in row.items():
                numbers = (cell.mean, cell.std, cell.n, cell.planned, cell.normalised)
                writer.writerow((table.algo, game, arm, *numbers, source))
    return text.getvalue()


def to_markdown(table: ScoreTable) -> str:
    """Return a table as Markdown."""
    lines = [f"**{title(table)}**", "", "| game | " + " | ".join(table.arms) + " |"]
    lines.append("|---|" + "---:|" * len(table.arms))
    rows = (tuple(cell.replace("*", r"\*") for cell in row) for row in table.rows())
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([*lines, "", note(table), ""])


def title(table: ScoreTable) -> str:
    """Return the table's caption."""
    return f"{table.algo.upper()}: raw score, mean ± standard deviation over seeds (n of N seeds)"


def note(table: ScoreTable) -> str:
    """Return what a reader must know beside the numbers."""
    where = {
        "evaluation": "from the evaluation's games with sampled actions",
        "training": "from the last 100 full games of the training",
    }
    parts = ["Scores " + " and ".join(where[source] for source in table.sources) + "."]
    if not table.sources:
        parts = ["No run is done yet."]
    if TINY_RANGE_GAMES & set(table.cells):
        parts.append("* Human and random scores nearly meet: normalised scores say little here.")
    return " ".join(parts)
