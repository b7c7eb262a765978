"""What `compare --status` prints: what became of every run of an experiment's folder."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.table import Table

from coordconv_rl.comparison import plan
from coordconv_rl.comparison.entries import (
    STATUSES,
    Entry,
    RunRequest,
    check_planned,
    read_ledger,
    read_requests,
)
from coordconv_rl.comparison.launch.growth import plan_growth
from coordconv_rl.comparison.launch.terminal import wide_console
from coordconv_rl.comparison.report import counted
from coordconv_rl.configs import ExperimentConfig, make_run_id

log = logging.getLogger(__name__)

STATUS_COLOURS = {
    "waiting": "dim",
    "running": "cyan",
    "done": "green",
    "failed": "red",
    "lost": "yellow",
}


def print_status(folder: Path | str, asked: ExperimentConfig | None = None) -> int:
    """Print what became of every run of an experiment's folder; for `compare --status`.

    Args:
        folder: The experiment's folder.
        asked: What somebody wants of it; of runs that it does not have, a warning tells.

    Returns:
        The exit code: 1 if a run has failed, else 0.

    Raises:
        InputError: The folder holds no experiment, or what is asked for cannot be had in it.
    """
    entries = status_entries(Path(folder))
    requests = read_requests(Path(folder))
    wanted = plan_growth(Path(folder), asked).configs if asked else ()
    known = {run for request in requests for run in request.runs()} | entries.keys()
    if more := {config.run_id for config in wanted} - known:
        log.warning(
            "%s has not been asked for %s of what is named here: start it without --status",
            folder, counted(len(more), "run"),
        )  # fmt: skip
    tables = [*status_tables(entries), *([request_table(requests)] if len(requests) > 1 else [])]
    wide_console().print(*tables, sep="\n")
    return int(any(entry.status == "failed" for entry in entries.values()))


def status_entries(folder: Path) -> dict[str, Entry]:
    """Return an entry for every planned run, those without a line in the ledger waiting."""
    runs = [make_run_id(*key) for key in plan.run_keys(plan.read_experiment(folder))]
    known = read_ledger(folder)
    asked = {run for request in read_requests(folder) for run in request.runs()}
    check_planned(folder, known, asked | set(runs))
    return {run: known.get(run, Entry(run)) for run in runs}


def request_table(requests: Sequence[RunRequest]) -> Table:
    """Return who has asked for which runs of a comparison that has grown, and when."""
    table = Table(title="Asked for")
    names = ("when", "by", "algorithms", "games", "arms", "seeds", "steps")
    has_pairs = any(one.comparisons for one in requests)
    for column in (*names, *(("compared",) if has_pairs else ())):
        table.add_column(column)
    for one in requests:
        pairs = ", ".join(" against ".join(pair) for pair in one.comparisons) or "as the arms"
        lists = (one.algos, one.games, one.arms, one.seeds)
        words = (", ".join(map(str, values)) for values in lists)
        table.add_row(
            one.asked or "earlier", one.by or "unknown", *words, f"{one.steps:,}",
            *((pairs,) if has_pairs else ()),
        )  # fmt: skip
    return table


def status_tables(entries: Mapping[str, Entry], most: int = 100) -> list[Table]:
    """Tables of the counts and of each run that has started and is not done.

    Args:
        entries: Every planned run's entry.
        most: How many runs to name; the rest is counted.
    """
    counts: Counter[str] = Counter(entry.status for entry in entries.values())
    totals = Table(title=counted(len(entries), "run"))
    for status in STATUSES:
        totals.add_column(status, style=STATUS_COLOURS[status], justify="right")
    totals.add_row(*(str(counts[status]) for status in STATUSES))
    named = [entry for entry in entries.values() if entry.attempts or entry.status != "waiting"]
    if len(named) > most:
        named = [entry for entry in named if entry.status != "done"]
    runs = Table()
    for column in ("run", "status", "attempts", "host", "started", "ended", "reason"):
        runs.add_column(column)
    for entry in named[:most]:
        reason = None if entry.status == "running" else entry.reason  # that of the attempt before
        cells = (entry.host, entry.started, entry.ended, reason)
        colour = STATUS_COLOURS[entry.status]
        runs.add_row(
            entry.run,
            f"[{colour}]{entry.status}[/]",
            str(entry.attempts),
            *(cell or "" for cell in cells),
        )
    if len(named) > most:
        runs.caption = f"and {len(named) - most} more"
    return [totals, runs]
