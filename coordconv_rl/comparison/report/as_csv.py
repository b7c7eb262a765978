"""The numbers as CSV files, with every interval's ends in columns of their own."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from coordconv_rl.comparison.learning_curves import curve, curves, step_grid
from coordconv_rl.comparison.report.inspections import read_inspections
from coordconv_rl.comparison.report.score_tables import game_scores
from coordconv_rl.comparison.report.use_tables import collect_use
from coordconv_rl.comparison.report.verdict import outcome, sentence
from coordconv_rl.comparison.results import Results, final_score, score_sources
from coordconv_rl.comparison.statistics import AlgoAnalysis, Estimate
from coordconv_rl.envs import human_normalised
from coordconv_rl.files import write_text_atomic

_RUN_COLUMNS = (
    "algo", "game", "arm", "seed", "status", "attempts", "step", "score", "score_source",
    "human_normalised", "min_max", "reason",
)  # fmt: skip
_AGGREGATE_COLUMNS = (
    "algo", "arm", "runs_done", "runs_planned", "scale", "statistic", "value", "low", "high",
)  # fmt: skip
_PAIR_COLUMNS = (
    "algo", "arm", "against", "games", "fewest_seeds", "scale", "statistic", "value", "low", "high",
)  # fmt: skip
_VERDICT_COLUMNS = (
    "algo", "arm", "against", "pairs", "p", "p_holm", "seeds_needed", "finding", "verdict",
)  # fmt: skip
_GAME_COLUMNS = (
    "algo", "arm", "against", "game", "probability_of_improvement", "paired_difference", "low",
    "high", "p_holm",
)  # fmt: skip
_USE_COLUMNS = (
    "algo", "arm", "against", "treatment", "games", "agents", "scale", "statistic", "value", "low",
    "high", "p", "p_holm",
)  # fmt: skip
_STATISTICS = ("iqm", "iqm_unmarked", "median", "mean", "optimality_gap")
_SCORE_COLUMNS = (
    "algo", "game", "arm", "mean", "std", "n", "planned", "human_normalised", "min_max", "source",
)  # fmt: skip
_CURVE_COLUMNS = ("algo", "game", "arm", "step", "seeds", "mean", "low", "high")
_RUN_CURVE_COLUMNS = ("algo", "game", "arm", "seed", "step", "score")
CSV_FILES: dict[str, str] = {
    "runs.csv": "every run's score",
    "aggregates.csv": "aggregates by arm",
    "pairs.csv": "pairs of arms",
    "verdicts.csv": "pairs of arms: p-values and what is shown",
    "pairs_by_game.csv": "pairs of arms by game",
    "use_of_coordinates.csv": "falls of scores without coordinates, by arm and between heads",
    "learning_curves.csv": "learning curves by arm",
    "learning_curves_by_run.csv": "learning curves by run",
}


def write_tables(folder: Path, found: Results, analyses: Sequence[AlgoAnalysis]) -> None:
    """Write `CSV_FILES` into the report's folder."""
    grid = step_grid(found.experiment)
    tables: dict[str, tuple[Sequence[str], Iterable[Sequence[object]]]] = {
        "runs.csv": (_RUN_COLUMNS, _runs(found, analyses)),
        "aggregates.csv": (_AGGREGATE_COLUMNS, _aggregates(analyses)),
        "pairs.csv": (_PAIR_COLUMNS, _pairs(analyses)),
        "verdicts.csv": (_VERDICT_COLUMNS, _verdicts(analyses)),
        "pairs_by_game.csv": (_GAME_COLUMNS, _games(analyses)),
        "use_of_coordinates.csv": (_USE_COLUMNS, _use(found, analyses)),
        "learning_curves.csv": (_CURVE_COLUMNS, _curves(found, grid)),
        "learning_curves_by_run.csv": (_RUN_CURVE_COLUMNS, _run_curves(found, grid)),
    }
    for name in CSV_FILES:
        write_text_atomic(folder / name, _text(*tables[name]))


def scores_csv(found: Results, analyses: Sequence[AlgoAnalysis]) -> str:
    """Return each game's score by arm as CSV, one line each: what `results.csv` holds."""
    return _text(_SCORE_COLUMNS, _scores(found, analyses))


def _text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def _number(value: float | None) -> str:
    return "" if value is None or not np.isfinite(value) else f"{float(value):.10g}"


def _ends(found: Estimate) -> tuple[str, str, str]:
    low, high = (None if end is None else float(end) for end in (found.low, found.high))
    return _number(float(found.value)), _number(low), _number(high)


def _runs(found: Results, analyses: Sequence[AlgoAnalysis]) -> Iterable[Sequence[object]]:
    scales = {analysis.algo: analysis.scale for analysis in analyses}
    for run in found.runs:
        score, source = final_score(run) or (None, "")
        human = None if score is None else human_normalised(run.game, score)
        scale = scales[run.algo]
        share = None
        if score is not None and scale.name == "min-max":
            share = scale.apply(np.full(len(found.games), score))[found.games.index(run.game)]
        key = (run.algo, run.game, run.arm, run.seed, run.status, run.attempts, run.step)
        reason = " ".join((run.reason or "").split())
        yield *key, _number(score), source, _number(human), _number(share), reason


def _aggregates(analyses: Sequence[AlgoAnalysis]) -> Iterable[Sequence[object]]:
    for analysis in analyses:
        for arm, own in analysis.arms.items():
            counts = analysis.scores[arm].done, analysis.scores[arm].planned
            for name in _STATISTICS:
                found = getattr(own, name)
                if found is not None:
                    yield analysis.algo, arm, *counts, analysis.scale.name, name, *_ends(found)


def _pairs(analyses: Sequence[AlgoAnalysis]) -> Iterable[Sequence[object]]:
    for analysis in analyses:
        scale = analysis.scale.name
        for pair in analysis.comparisons:
            key = (analysis.algo, pair.arm, pair.against)
            for kind, name, found in (
                ("rank", "probability_of_improvement", pair.improvement),
                ("rank", "probability_of_improvement_area", pair.area_improvement),
                (scale, "iqm_difference", pair.iqm_difference),
                (scale, "mean_difference", pair.mean_difference),
            ):
                if found is not None:
                    games = pair.games if kind == "rank" else pair.scaled_games
                    yield *key, len(games), pair.seeds, kind, name, *_ends(found)


def _verdicts(analyses: Sequence[AlgoAnalysis]) -> Iterable[Sequence[object]]:
    for analysis in analyses:
        for pair in analysis.comparisons:
            yield (
                analysis.algo, pair.arm, pair.against, len(analysis.pairs), _number(pair.p),
                _number(pair.p_holm), pair.seeds_needed or "", outcome(analysis, pair),
                sentence(analysis, pair),
            )  # fmt: skip


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
                    _number(pair.p_by_game[place]),
                )


def _use(found: Results, analyses: Sequence[AlgoAnalysis]) -> Iterable[Sequence[object]]:
    """Yield each arm's fall, then each pair of heads; agents are the fewest of a game there."""
    for use in collect_use(found, analyses, read_inspections(found)):
        for own in use.arms:
            for name, fall in own.falls.items():
                key = (use.algo, own.arm, "", name, "", own.agents, use.scale, "mean_fall")
                if fall is not None:
                    yield *key, *_ends(fall), "", ""
        for pair in use.pairs:
            names = (use.algo, pair.arm, pair.against, pair.treatment, pair.games, pair.seeds)
            p_values = _number(pair.p), _number(pair.p_holm)
            yield *names, "rank", "probability_of_larger_fall", *_ends(pair.further), *p_values
            if pair.difference is not None:
                yield *names, use.scale, "difference_of_falls", *_ends(pair.difference), "", ""


def _scores(found: Results, analyses: Sequence[AlgoAnalysis]) -> Iterable[Sequence[object]]:
    for analysis in analyses:
        source = "+".join(score_sources(found, analysis.algo))
        for game, by_arm in game_scores(analysis.games, analysis.scores).items():
            for arm, score in by_arm.items():
                share = score.scaled if analysis.scale.name == "min-max" else None
                numbers = (score.mean, score.std, score.n, score.planned, score.human, share)
                yield (analysis.algo, game, arm, *numbers, source)


def _curves(found: Results, grid: NDArray[np.int64]) -> Iterable[Sequence[object]]:
    """Yield each arm's mean, lowest and highest seed at the grid steps where it has any."""
    cells = product(found.experiment.algos, found.games, found.experiment.arm_labels)
    for algo, game, arm in cells:
        rows = curves(found, algo, game, arm, grid)
        for place in np.flatnonzero((~np.isnan(rows)).any(axis=0)):
            known = rows[~np.isnan(rows[:, place]), place]
            ends = map(_number, (known.mean(), known.min(), known.max()))
            yield (algo, game, arm, grid[place], len(known), *ends)


def _run_curves(found: Results, grid: NDArray[np.int64]) -> Iterable[Sequence[object]]:
    for run in found.runs:
        line = curve(run, grid)
        for place in np.flatnonzero(~np.isnan(line)):
            yield run.algo, run.game, run.arm, run.seed, grid[place], _number(line[place])
