"""The report as one structure, from which the page and the Markdown file are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from coordconv_rl.comparison.report import (
    figures,
    inspections,
    run_tables,
    score_tables,
    use_tables,
)
from coordconv_rl.comparison.report.as_csv import CSV_FILES
from coordconv_rl.comparison.report.cautions import banners, limits
from coordconv_rl.comparison.report.methods import command, method_notes, protocol
from coordconv_rl.comparison.report.svg import Drawing
from coordconv_rl.comparison.report.tables import Table, counted
from coordconv_rl.comparison.report.verdict import Verdict, answer
from coordconv_rl.comparison.results import Results
from coordconv_rl.comparison.statistics import AlgoAnalysis
from coordconv_rl.configs import to_yaml

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
    verdict: Verdict
    warnings: list[str]
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
    methods: tuple[str, ...]
    inspections: list[Table] = field(default_factory=list)
    inspection_figures: list[Drawing] = field(default_factory=list)
    inspection_notes: tuple[str, ...] = ()
    inspection_findings: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=lambda: CSV_FILES)


def build_page(found: Results, analyses: list[AlgoAnalysis], folder: Path) -> Page:
    """Put the report together and draw its figures.

    Args:
        found: The experiment.
        analyses: One for each of its algorithms.
        folder: Where the figures go; it exists.
    """
    done = Counter(run.status for run in found.runs)["done"]
    now = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    trouble = run_tables.trouble_table(found)
    return Page(
        title=found.experiment.name,
        description=found.experiment.description,
        made=f"{done} of {counted(len(found.runs), 'run')} done. Written {now}.",
        banners=banners(found),
        algos=[_algo_part(found, analysis, folder) for analysis in analyses],
        runs=[run_tables.completeness_table(found), *([trouble] if trouble else [])],
        protocol=protocol(found),
        command=command(found),
        experiment=to_yaml(found.experiment),
        methods=method_notes(analyses),
        **_inspection_part(found, analyses, folder),
    )


def _inspection_part(found: Results, analyses: list[AlgoAnalysis], folder: Path) -> dict[str, Any]:
    """Put together what the report says of inspections; nothing if there are none."""
    inspected = inspections.read_inspections(found)
    if not inspected:
        return {}
    uses = use_tables.collect_use(found, analyses, inspected)
    return {
        "inspection_findings": tuple(use_tables.sentences(uses)),
        "inspections": [
            *use_tables.tables(uses),
            inspections.arms_table(inspected),
            inspections.inspection_table(inspected),
        ],
        "inspection_figures": figures.draw_inspections(inspected, folder),
        "inspection_notes": (inspections.coverage(found, inspected), INSPECTION_NOTE),
    }


def _algo_part(found: Results, analysis: AlgoAnalysis, folder: Path) -> AlgoPart:
    """Put together what the report says of one algorithm."""
    by_game = [score_tables.pair_games_table(analysis, pair) for pair in analysis.comparisons]
    return AlgoPart(
        algo=analysis.algo,
        verdict=answer(found, analysis),
        warnings=limits(found, analysis),
        figures=figures.draw_algo(found, analysis, folder),
        tables=[
            *([score_tables.pairs_table(analysis)] if by_game else []),
            score_tables.aggregates_table(analysis),
            score_tables.game_scores_table(analysis),
            *by_game[:1],
            run_tables.speed_table(found, analysis.algo),
        ],
        details=by_game[1:],
    )
