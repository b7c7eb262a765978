"""The report's tables of runs: which are done, which failed, how fast they were."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np

from coordconv_rl.comparison.report.tables import NONE, Cell, Table, number
from coordconv_rl.comparison.results import NOT_WHOLE, OTHER, Results

MAX_TROUBLES = 50


def completeness_table(found: Results) -> Table:
    """Return how many runs of each cell are done, "n of N"."""
    done: Counter[tuple[str, str, str]] = Counter()
    for run in found.runs:
        done[run.algo, run.game, run.arm] += run.status == "done"
    planned = len(found.experiment.seeds)
    arms = found.experiment.arm_labels
    rows = []
    for algo in found.experiment.algos:
        for game in found.games:
            counts = [done[algo, game, arm] for arm in arms]
            cells = [Cell(f"{count} of {planned}", value=count) for count in counts]
            rows.append((Cell(algo.upper()), Cell(game), *cells))
    return Table("Finished runs", ("Algorithm", "Game", *arms), tuple(rows))


def trouble_table(found: Results) -> Table | None:
    """Return the runs that failed or do not count, and why; None if there are none."""
    bad = [run for run in found.runs if run.status in {"failed", "lost", NOT_WHOLE, OTHER}]
    if not bad:
        return None
    rows = [
        (
            Cell(run.run_id),
            Cell(run.status),
            Cell(str(run.attempts), value=run.attempts),
            Cell(f"{run.step:,}", value=run.step),
            Cell(run.reason or "no reason is recorded"),
        )
        for run in bad[:MAX_TROUBLES]
    ]
    rest = len(bad) - len(rows)
    caption = "Runs that failed, were lost or do not count" + (
        f" ({rest} more not shown)" if rest else ""
    )
    return Table(caption, ("Run", "Status", "Attempts", "Step", "Reason"), tuple(rows))


def speed_table(found: Results, algo: str) -> Table:
    """Return parameters and training speed by arm, from the runs that have started."""
    rows = []
    for arm in found.experiment.arm_labels:
        own = [run for run in found.runs if (run.algo, run.arm) == (algo, arm)]
        runs = [run.record for run in own if run.status != OTHER]
        rates = _numbers(runs, "steps_per_second")
        parameters = sorted(set(_numbers(runs, "parameters")))
        precisions = sorted({str(run["precision"]) for run in runs if run and "precision" in run})
        rows.append(
            (
                Cell(arm),
                Cell(
                    " / ".join(f"{count:,.0f}" for count in parameters) or NONE,
                    value=parameters[0] if parameters else None,
                ),
                number(float(np.median(rates)) if rates else None),
                Cell(f"{min(rates):,.0f} to {max(rates):,.0f}" if rates else NONE),
                number(sum(_numbers(runs, "seconds")) / 3600),
                Cell(" / ".join(precisions) or NONE),
            )
        )
    columns = ("Arm", "Parameters", "Steps a second (median)", "Range", "Hours, all runs")
    return Table("Speed and parameters", (*columns, "Precision"), tuple(rows))


def _numbers(records: list[dict[str, Any] | None], key: str) -> list[float]:
    """Return a key's positive numbers from the records that have one."""
    values = [record.get(key) for record in records if record]
    return [
        float(value)
        for value in values
        if isinstance(value, int | float) and math.isfinite(value) and value > 0
    ]
