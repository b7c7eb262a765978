"""The end of a comparison: its tables on the terminal, and the files for those who come later."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console
from rich.table import Table

from coordconv_rl.comparison.launch.inspect_agents import inspect_missing, uninspected
from coordconv_rl.comparison.report import (
    ScoreTable,
    learning_curves_figure,
    make_score_tables,
    note,
    title,
    to_csv,
    to_markdown,
)
from coordconv_rl.comparison.results import Results, load_experiment
from coordconv_rl.files import write_bytes_atomic, write_text_atomic
from coordconv_rl.signals import stop_signals

INTERRUPTED = 130
NAMED = 50  # runs to name that are not done; the rest is counted


def close(folder: Path, console: Console | None = None, *, inspectors: int = 0) -> int:
    """Print an experiment's tables, inspect its agents, and write its files and its report.

    The files are results.csv, results.md and learning_curves.png.

    Args:
        folder: The experiment's folder.
        console: Where to; the standard output if None.
        inspectors: Inspections at a time; 0 for none.

    Returns:
        The exit code: 130 after Ctrl-C, 1 if a run is not done, else 0.
    """
    from coordconv_rl.comparison.report import write_report

    console = console or Console(highlight=False)
    results = load_experiment(folder)
    tables = make_score_tables(results)
    for table in tables:
        console.print(rich_table(table))
        console.print(note(table))
    missing = print_missing(console, results)
    write_text_atomic(folder / "results.csv", to_csv(tables))
    write_text_atomic(folder / "results.md", "\n".join(to_markdown(table) for table in tables))
    image = io.BytesIO()
    learning_curves_figure(results).savefig(image, format="png", dpi=110)
    write_bytes_atomic(folder / "learning_curves.png", image.getvalue())
    console.print(f"{folder}: results.csv, results.md and learning_curves.png", soft_wrap=True)
    if inspect(results, console, inspectors):
        return INTERRUPTED
    console.print(f"The report: {write_report(folder)}", soft_wrap=True)
    return int(missing)


def inspect(results: Results, console: Console, inspectors: int) -> bool:
    """Inspect the agents that have no inspection yet, or say why not.

    Returns:
        Whether Ctrl-C came.
    """
    left, by_hand = len(uninspected(results)), f"coordconv-rl inspect {results.folder}"
    if not left:
        return False
    if not results.experiment.evaluation.episodes:
        text = f"The agents play no closing games, nor any for inspections: {by_hand} does it."
        console.print(text, soft_wrap=True, markup=False)
        return False
    if not inspectors:
        text = f"{left} agents with coordinates are not inspected: {by_hand} does it."
        console.print(text, soft_wrap=True, markup=False)
        return False
    with stop_signals() as signals:
        stopped = inspect_missing(results, console, jobs=inspectors, stop=lambda: bool(signals))
    if stopped:
        text = f"Start it again to go on, or: coordconv-rl report {results.folder}"
        console.print(text, soft_wrap=True, markup=False)
    return stopped


def rich_table(table: ScoreTable) -> Table:
    """Return a score table for the terminal."""
    shown = Table(title=title(table))
    shown.add_column("game")
    for arm in table.arms:
        shown.add_column(arm, justify="right")
    for row in table.rows():
        shown.add_row(*row)
    return shown


def print_missing(console: Console, results: Results) -> bool:
    """Print every run that is not done, and why; return whether there is one."""
    missing = [run for run in results.runs if run.status != "done"]
    if not missing:
        console.print(f"All {len(results.runs)} runs are done.")
        return False
    console.print(f"{len(missing)} of {len(results.runs)} runs are not done:", style="red")
    for run in missing[:NAMED]:
        reason = f": {run.reason}" if run.reason else ""
        console.print(f"  {run.run_id} {run.status}{reason}", soft_wrap=True, markup=False)
    if len(missing) > NAMED:
        console.print(f"  and {len(missing) - NAMED} more: compare --status names them")
    console.print("Each run's log.txt says more; the same command tries them again.")
    return True
