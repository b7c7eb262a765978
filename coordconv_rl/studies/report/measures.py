"""The second table: what else is measured of a study's held-out part."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

from coordconv_rl.studies.report.results import Row, deviation
from coordconv_rl.studies.tasks import Study

CEILING = "real data"  # in a model's place


def measures_table(study: Study, rows: list[Row]) -> tuple[list[str], list[list[str]]] | None:
    """Write all further measures, mean and standard deviation over seeds; none if there are none.

    Where the study knows the best that there can be, it stands above the models of each split, for
    as many seeds as the longest of them has.

    Returns:
        The head, then one list a row.
    """
    names = list(dict.fromkeys(name for row in rows for r in row.results for name in r.measures))
    if not names:
        return None
    lines = []
    for split in dict.fromkeys(row.split for row in rows):
        own = [row for row in rows if row.split == split]
        if study.ceiling is not None:
            seeds = range(max(len(row.results) for row in own))
            best = [study.ceiling(split, seed) for seed in seeds]
            lines.append([split, CEILING, *_cells(names, best)])
        lines += [
            [split, row.model, *_cells(names, [r.measures for r in row.results])] for row in own
        ]
    return ["split", "model", *names], lines


def _cells(names: list[str], found: Iterable[dict[str, float]]) -> list[str]:
    """Write one cell for each name, over the seeds that have it."""
    cells = []
    for name in names:
        values = [measures[name] for measures in found if name in measures]
        text = f"{statistics.fmean(values):.3f}" if values else "-"
        cells.append(text + (f" ± {deviation(values):.3f}" if len(values) > 1 else ""))
    return cells
