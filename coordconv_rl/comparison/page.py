"""The report as one structure, from which the page and the Markdown file are written."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from coordconv_rl.comparison import (
    inspections,
    report_figures,
    tables_runs,
    tables_scores,
    verdict,
)
from coordconv_rl.comparison.analysis import BASELINE, AlgoAnalysis
from coordconv_rl.comparison.drawing import Drawing
from coordconv_rl.comparison.protocol import METHODS, command, protocol
from coordconv_rl.comparison.results import Results
from coordconv_rl.comparison.tables import Table
from coordconv_rl.configs.load import to_yaml

INSPECTION_NOTE = (
    "Zeroed: the coordinate channels are 0 everywhere. Permuted: they hold their own values at "
    "other pixels. An agent that uses its coordinates scores less without them. The share is that "
    "of the first layer's output variance, over positions and frames of the agent's own games; an "
    "untrained layer has one too, so that only the scores tell of use."
)


@dataclass(frozen=True)
class AlgoPart:
    """The report's section on one algorithm."""

    algo: str
    verdict: str
    warnings: list[str]
    power: str | None
    figures: list[Drawing]
    tables: list[Table]
    details: list[Table]


@dataclass(frozen=True)
class Page:
    """Everything that the report shows, in its order."""

    title: str
    description: str
    made: str
    banners: list[str]
    algos: list[AlgoPart]
    runs: list[Table]
    protocol: list[tuple[str, str]]
    command: str
    experiment: str
    inspections: list[Table] = field(default_factory=list)
    inspection_figures: list[Drawing] = field(default_factory=list)
    inspection_notes: tuple[str, ...] = ()
    methods: tuple[str, ...] = METHODS


def build_page(found: Results, analyses: list[AlgoAnalysis], folder: Path) -> Page:
    """Put the report together and draw its figures.

    Args:
        found: The experiment.
        analyses: One for each of its algorithms.
        folder: Where the figures go; it exists.
    """
    done = Counter(run.status for run in found.runs)["done"]
    now = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    troubles = tables_runs.troubles(found)
    return Page(
        title=found.experiment.name,
        description=found.experiment.description,
        made=f"{done} of {len(found.runs)} runs done. Written {now}.",
        banners=verdict.banners(found),
        algos=[_algo_part(found, analysis, folder) for analysis in analyses],
        runs=[tables_runs.completeness(found), *([troubles] if troubles else [])],
        protocol=protocol(found),
        command=command(found),
        experiment=to_yaml(found.experiment),
        **_inspection_part(found, folder),
    )


def _inspection_part(found: Results, folder: Path) -> dict[str, Any]:
    inspected = inspections.read_inspections(found)
    if not inspected:
        return {}
    return {
        "inspections": [inspections.arms_table(inspected), inspections.inspection_table(inspected)],
        "inspection_figures": report_figures.draw_inspections(inspected, folder),
        "inspection_notes": (inspections.coverage(found, inspected), INSPECTION_NOTE),
    }


def _algo_part(found: Results, analysis: AlgoAnalysis, folder: Path) -> AlgoPart:
    pairs = [tables_scores.pair_games(pair) for pair in analysis.comparisons]
    main = [(p.arm, p.against) == (verdict.SUBJECT, BASELINE) for p in analysis.comparisons]
    tables = [tables_scores.aggregates(analysis)]
    if pairs:
        tables.append(tables_scores.comparisons(analysis))
    tables.append(tables_scores.games(analysis))
    tables += [table for table, is_main in zip(pairs, main, strict=True) if is_main]
    return AlgoPart(
        algo=analysis.algo,
        verdict=verdict.verdict(analysis),
        warnings=verdict.warnings(found, analysis),
        power=verdict.power_note(analysis),
        figures=report_figures.draw_algo(found, analysis, folder),
        tables=[*tables, tables_runs.speed(found, analysis.algo)],
        details=[table for table, is_main in zip(pairs, main, strict=True) if not is_main],
    )
