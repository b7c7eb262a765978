"""The end of a comparison: its tables on the terminal, and the files for those who come later."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from coordconv_rl.comparison import report
from coordconv_rl.comparison.launch.inspect_agents import inspect_missing, uninspected
from coordconv_rl.comparison.launch.terminal import wide_console
from coordconv_rl.comparison.results import Results, read_results
from coordconv_rl.comparison.statistics import AlgoAnalysis, analyse
from coordconv_rl.errors import FAILED, INTERRUPTED, OK
from coordconv_rl.files import clear_left_behind, write_bytes_atomic, write_text_atomic
from coordconv_rl.signals import stop_signals

NAMED = 50  # runs to name that are not done; the rest is counted


def close_comparison(
    folder: Path,
    console: Console | None = None,
    *,
    inspectors: int = 0,
    code: Path | None = None,
) -> int:
    """Print an experiment's tables, inspect its agents, and write its files and its report.

    The files are results.csv, results.md and learning_curves.png.

    Args:
        folder: The experiment's folder.
        console: Where to; the standard output if None.
        inspectors: Inspections at a time; 0 for none.
        code: The folder from which inspections may import the user's own code; None for no code.

    Returns:
        The exit code: 130 after Ctrl-C, 1 if a run is not done, else 0.
    """
    console = console or wide_console()
    found = read_results(folder)
    analyses = [analyse(found, algo) for algo in found.experiment.algos]
    for analysis in analyses:
        print_scores(console, found, analysis)
    missing = print_missing(console, found)
    if missing and all(run.record is None for run in found.runs):
        return FAILED  # none has begun: there is nothing to report on
    clear_left_behind(folder, ("results.csv", "results.md", "learning_curves.png"))
    write_text_atomic(folder / "results.csv", report.scores_csv(found, analyses))
    write_text_atomic(folder / "results.md", _markdown(found, analyses))
    image = io.BytesIO()
    report.learning_curves_figure(found).savefig(image, format="png", dpi=110)
    write_bytes_atomic(folder / "learning_curves.png", image.getvalue())
    console.print(f"{folder}: results.csv, results.md and learning_curves.png", soft_wrap=True)
    if inspect_at_the_end(found, console, inspectors, code):
        return INTERRUPTED
    console.print(f"The report: {report.write_report(folder)}", soft_wrap=True)
    return FAILED if missing else OK


def print_scores(console: Console, found: Results, analysis: AlgoAnalysis) -> None:
    """Print an algorithm's tables of scores and pairs, the answer, and what to be wary of."""
    for table in _tables(analysis, brief=True):
        console.print(rich_table(f"{analysis.algo.upper()}: {table.caption}", table))
    verdict = report.answer(found, analysis)
    single = len(verdict.texts) == 1
    texts = [str(verdict)] if single else [f"{verdict.heading}:", *verdict.texts]
    for text in (*texts, *report.limits(found, analysis)):
        console.print(text, soft_wrap=True, markup=False)


def _tables(analysis: AlgoAnalysis, *, brief: bool = False) -> list[report.Table]:
    tables = [report.game_scores_table(analysis), report.aggregates_table(analysis)]
    pairs = [report.pairs_table(analysis, brief=brief)] if analysis.comparisons else []
    return [*tables, *pairs]


def _markdown(found: Results, analyses: Sequence[AlgoAnalysis]) -> str:
    """Return what `results.md` holds: the same tables and sentences as on the terminal."""
    lines = []
    for analysis in analyses:
        lines += [f"## {analysis.algo.upper()}", ""]
        lines += report.verdict_as_markdown(report.answer(found, analysis))
        lines += [f"- {text}" for text in report.limits(found, analysis)]
        lines += ["", *report.tables_as_markdown(_tables(analysis))]
    return "\n".join(lines) + "\n"


def inspect_at_the_end(
    found: Results, console: Console, inspectors: int, code: Path | None = None
) -> bool:
    """Inspect the agents that have no inspection yet, or say why not.

    Returns:
        Whether Ctrl-C came.
    """
    left, by_hand = len(uninspected(found)), f"coordconv-rl inspect {found.folder}"
    if not left:
        return False
    if not found.experiment.evaluation.episodes:
        text = f"The agents play no closing games, nor any for inspections: {by_hand} does it."
        console.print(text, soft_wrap=True, markup=False)
        return False
    if not inspectors:
        agents = f"{report.counted(left, 'agent')} with coordinates {report.are(left)}"
        text = f"{agents} not inspected: {by_hand} does it."
        console.print(text, soft_wrap=True, markup=False)
        return False
    with stop_signals() as signals:
        stopped = inspect_missing(
            found, console, jobs=inspectors, stop=lambda: bool(signals), code=code
        )
    if stopped:
        text = f"Start it again to go on, or: coordconv-rl report {found.folder}"
        console.print(text, soft_wrap=True, markup=False)
    return stopped


def rich_table(title: str, table: report.Table) -> Table:
    """Return one of the report's tables for the terminal, each cell's detail on a second line."""
    shown = Table(title=title)
    for place, column in enumerate(table.columns):
        shown.add_column(Text(column), justify="left" if table.is_text(place) else "right")
    for row in table.rows:
        shown.add_row(*(_rich_cell(cell.text, cell.detail) for cell in row))
    return shown


def _rich_cell(text: str, detail: str) -> Text:
    return Text(text) + Text(f"\n{detail}", style="dim") if detail else Text(text)


def print_missing(console: Console, found: Results) -> bool:
    """Print every run that is not done, and why; return whether there is one."""
    missing = [run for run in found.runs if run.status != "done"]
    if not missing:
        whole = len(found.runs)
        console.print("The one run is done." if whole == 1 else f"All {whole} runs are done.")
        return False
    share = f"{len(missing)} of {report.counted(len(found.runs), 'run')}"
    console.print(f"{share} {report.are(len(missing))} not done:", style="red")
    for run in missing[:NAMED]:
        reason = f": {run.reason}" if run.reason else ""
        console.print(f"  {run.run_id} {run.status}{reason}", soft_wrap=True, markup=False)
    if len(missing) > NAMED:
        console.print(f"  and {len(missing) - NAMED} more: compare --status names them")
    console.print("Each run's log.txt says more; the same command tries them again.")
    return True
