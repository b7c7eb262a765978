"""What a study shows in the terminal: progress while it trains, and the closing tables."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from coordconv_rl.studies.report.measures import measures_table
from coordconv_rl.studies.report.ratios import Ratio, ratio_lines
from coordconv_rl.studies.report.results import Row, cautions, table
from coordconv_rl.studies.tasks import Study
from coordconv_rl.studies.training import Result, Unit

WIDE = 132  # columns of a terminal: the wide mode of a VT100, which the whole table fits


class ProgressWatcher:
    """A bar over all trainings, and one line for each that ends; to be closed."""

    def __init__(self, study: Study, root: Path, console: Console) -> None:
        self._study, self._root, self._console = study, root, console
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self._bar = Progress(*columns, TimeElapsedColumn(), console=console, transient=True)
        self._task = self._bar.add_task("trainings", total=0)
        self._bar.start()

    def close(self) -> None:
        """Take the bar away."""
        self._bar.stop()

    def started(self, units: int) -> None:
        """Make the bar longer by so many trainings."""
        total = self._bar.tasks[0].total or 0
        self._bar.update(self._task, total=total + units)

    def waiting(self, units: list[Unit]) -> None:
        """Name what is being trained, with its latest value."""
        texts = []
        for unit in units:
            result = Result.read(self._root / unit.path)
            if result is not None and result.status == "running" and result.test is not None:
                value = self._study.measure.show(result.test)
                texts.append(f"{unit.split} {unit.model} {value} at {result.seconds:.0f} s")
        self._bar.update(self._task, description="; ".join(texts) or "trainings")

    def finished(self, unit: Unit, result: Result) -> None:
        """Print the line of a training that ended."""
        value = self._study.measure.show(result.test) if result.test is not None else "-"
        name = f"{unit.judged} {self._study.measure.name}"
        self._bar.console.print(
            f"{unit.path}: {name} {value}, {result.seconds:.1f} s",
            highlight=False,
            soft_wrap=True,
        )
        self._bar.advance(self._task)

    def failed(self, unit: Unit, reason: str) -> None:
        """Print why a training failed."""
        self._bar.console.print(
            f"{unit.path}: failed: {reason}", style="red", markup=False, soft_wrap=True
        )
        self._bar.advance(self._task)


def _rich(title: str, head: list[str], lines: list[list[str]]) -> Table:
    drawn = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0))
    for cell in head:
        drawn.add_column(cell)
    for line in lines:
        drawn.add_row(*line)
    return drawn


def _fit(head: list[str], lines: list[list[str]], width: int) -> tuple[list[str], list[list[str]]]:
    """Leave columns out where the terminal is narrow; the page has them all."""
    shown = [index for index, name in enumerate(head) if width >= WIDE or not _is_minor(name)]
    return [head[index] for index in shown], [[line[i] for i in shown] for line in lines]


def _is_minor(column: str) -> bool:
    return column.startswith(("best", "goal", "s in", "settings"))


def show_end(
    study: Study, rows: list[Row], found: list[Ratio], files: list[Path], console: Console
) -> None:
    """Print the closing tables, the paper's figures and where the pictures are."""
    console.print(_rich(study.question, *_fit(*table(study, rows), console.width)))
    if (more := measures_table(study, rows)) is not None:
        console.print(_rich("Further measures", *more))
    console.print(_rich("Ratios, the paper's beside them", *ratio_lines(study, found)))
    console.print(study.paper.sentence, highlight=False)
    for row in rows:
        if len(row.results) < row.wanted:
            missing = row.wanted - len(row.results)
            console.print(f"{row.split} {row.model}: {missing} seeds are missing", style="red")
    for text in cautions(rows):
        console.print(text, style="red", soft_wrap=True)
    for file in files:
        console.print(str(file), highlight=False, soft_wrap=True)
