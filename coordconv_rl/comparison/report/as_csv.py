"""The report's numbers as CSV files, with every interval's ends in columns of their own."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from coordconv_rl.comparison.results import Results, final_score
from coordconv_rl.comparison.statistics import AlgoAnalysis, Estimate, normalise
from coordconv_rl.files import write_text_atomic

RUNS = (
    "algo", "game", "arm", "seed", "status", "attempts", "step", "score", "score_source",
    "human_normalised", "reason",
)  # fmt: skip
AGGREGATES = ("algo", "arm", "runs_done", "runs_planned", "statistic", "value", "low", "high")
PAIRS = ("algo", "arm", "against", "games", "fewest_seeds", "statistic", "value", "low", "high")
GAMES = (
    "algo", "arm", "against", "game", "probability_of_improvement", "paired_difference", "low",
    "high", "p_holm",
)  # fmt: skip
STATISTICS = ("iqm", "iqm_unmarked", "median", "mean", "optimality_gap")


def write_tables(folder: Path, found: Results, analyses: Sequence[AlgoAnalysis]) -> None:
    """Write `runs.csv`, `aggregates.csv`, `pairs.csv` and `pairs_by_game.csv`."""
    _write(folder / "runs.csv", RUNS, _runs(found))
    _write(folder / "aggregates.csv", AGGREGATES, _aggregates(analyses))
    _write(folder / "pairs.csv", PAIRS, _pairs(analyses))
    _write(folder / "pairs_by_game.csv", GAMES, _games(analyses))


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_text_atomic(path, text.getvalue())


def _number(value: float | None) -> str:
    return "" if value is None or not np.isfinite(value) else f"{float(value):.10g}"


def _ends(found: Estimate) -> tuple[str, str, str]:
    low, high = (None if end is None else float(end) for end in (found.low, found.high))
    return _number(float(found.value)), _number(low), _number(high)


def _runs(found: Results) -> Iterable[Sequence[object]]:
    for run in found.runs:
        score, source = final_score(run) or (None, "")
        human = None if score is None else float(normalise(np.array([score]), (run.game,))[0])
        key = (run.algo, run.game, run.arm, run.seed, run.status, run.attempts, run.step)
        reason = " ".join((run.reason or "").split())
        yield *key, _number(score), source, _number(human), reason


def _aggregates(analyses: Sequence[AlgoAnalysis]) -> Iterable[Sequence[object]]:
    for analysis in analyses:
        for arm, own in analysis.arms.items():
            counts = analysis.scores[arm].done, analysis.scores[arm].planned
            for name in STATISTICS:
                found = getattr(own, name)
                if found is not None:
                    yield analysis.algo, arm, *counts, name, *_ends(found)


def _pairs(analyses: Sequence[AlgoAnalysis]) -> Iterable[Sequence[object]]:
    for analysis in analyses:
        for pair in analysis.comparisons:
            key = (analysis.algo, pair.arm, pair.against, len(pair.games), pair.seeds)
            yield *key, "probability_of_improvement", *_ends(pair.improvement)
            if pair.iqm_difference is not None:
                yield *key, "iqm_difference", *_ends(pair.iqm_difference)


def _games(analyses: Sequence[AlgoAnalysis]) -> Iterable[Sequence[object]]:
    for analysis in analyses:
        for pair in analysis.comparisons:
            for place, game in enumerate(pair.games):
                key = (analysis.algo, pair.arm, pair.against, game)
                chance = _number(pair.improvement_by_game[place])
                yield (
                    *key,
                    chance,
                    *_ends(pair.paired_by_game[place]),
                    _number(pair.p_values[place]),
                )
