"""What the report says in sentences: the verdict with its uncertainty, and what to be wary of."""

from __future__ import annotations

from collections import Counter

from coordconv_rl.comparison import results
from coordconv_rl.comparison.report.tables import are, bounds, counted, interval
from coordconv_rl.comparison.results import NOT_WHOLE, Results
from coordconv_rl.comparison.statistics import (
    BASELINE,
    CONTROL,
    MIN_SEEDS,
    AlgoAnalysis,
    Comparison,
)
from coordconv_rl.envs import TINY_RANGE_GAMES

SUBJECT = "coordconv"


def answer(analysis: AlgoAnalysis) -> str:
    """Answer, for one algorithm, whether CoordConv helped, and whether geometry is the reason."""
    name = analysis.algo.upper()
    main = _pair(analysis, SUBJECT, BASELINE)
    if lacking := [arm for arm in (SUBJECT, BASELINE) if arm not in analysis.scores]:
        return f"{name}: no verdict, as the experiment has no arm {' and no '.join(lacking)}."
    if main is None:
        return f"{name}: no verdict yet, for want of finished runs of {SUBJECT} and {BASELINE}."
    games = counted(len(main.games), "game")
    sentence = f"{name}, {games}, at least {counted(main.seeds, 'seed')} an arm: {_chance(main)}"
    control = _pair(analysis, SUBJECT, CONTROL)
    if main.improvement.low is None:
        return f"{sentence} Too few seeds for a verdict: at least {MIN_SEEDS} are needed."
    if control is None:
        return f"{sentence} {_side(main)}"
    return f"{sentence} {_side(main)} {_geometry(main, control)}"


def _pair(analysis: AlgoAnalysis, arm: str, against: str) -> Comparison | None:
    found = [p for p in analysis.comparisons if (p.arm, p.against) == (arm, against)]
    return found[0] if found else None


def _chance(pair: Comparison) -> str:
    chance = f"{float(pair.improvement.value):.2f}"
    between = bounds(pair.improvement)
    text = f"a {pair.arm} agent beats a {pair.against} agent with probability {chance}"
    text += f" (95% interval {between})" if between else ""
    if pair.iqm_difference is None:
        return f"{text}."
    between = bounds(pair.iqm_difference)
    difference = interval(pair.iqm_difference, signed=True).text
    difference += f" ({between})" if between else ""
    return f"{text}; the difference of human-normalised IQMs is {difference}."


def direction(pair: Comparison) -> int:
    """Return 1 where the whole interval is above even chance, -1 where it is below, else 0."""
    low, high = pair.improvement.low, pair.improvement.high
    if low is None or high is None:
        return 0
    return int(low > 0.5) - int(high < 0.5)


def _side(pair: Comparison) -> str:
    found = direction(pair)
    if found == 0:
        return "The interval holds 0.5, so no difference is shown."
    helped = "better" if found > 0 else "worse"
    return f"The interval leaves 0.5 out: {pair.arm} did {helped} than {pair.against} here."


def _geometry(main: Comparison, control: Comparison) -> str:
    chance = f"{float(control.improvement.value):.2f}"
    between = bounds(control.improvement)
    against = f"Against shuffled coordinates the probability is {chance}" + (
        f" ({between})" if between else ""
    )
    if direction(main) <= 0:
        return f"{against}."
    if direction(control) > 0:
        return f"{against}: the geometry helps, and not only the additional parameters."
    return f"{against}: it is not shown that the geometry helps beyond the additional parameters."


def banners(found: Results) -> list[str]:
    """Return what a reader must know before any number: holes, and runs that still go."""
    counts = Counter(run.status for run in found.runs)
    done, planned = counts["done"], len(found.runs)
    left_out = _left_out(found)
    if done == planned:
        return left_out
    others = ", ".join(
        f"{counts[status]} {status}"
        for status in ("running", "waiting", "failed", "lost", NOT_WHOLE)
        if counts[status]
    )
    return [
        f"Incomplete: {done} of {planned} runs {are(done)} done ({others}). Missing runs are left "
        "out of every number and never filled in; what is here may change.",
        *left_out,
    ]


def _left_out(found: Results) -> list[str]:
    """Name what the folder holds of earlier, larger requests."""
    if not found.left_out:
        return []
    experiment = found.experiment
    parts = zip(*(run.replace("/seed-", "/").split("/") for run in found.left_out), strict=True)
    now: tuple[tuple[object, ...], ...] = (
        experiment.algos, found.games, experiment.arm_labels, experiment.seeds,
    )  # fmt: skip
    gone = [
        f"{name} {', '.join(sorted(missing, key=lambda value: (len(value), value)))}"
        for name, values, kept in zip(("algorithm", "game", "arm", "seed"), parts, now, strict=True)
        if (missing := set(values) - set(map(str, kept)))
    ]
    return [
        f"Left out: {counted(len(found.left_out), 'run')} in this folder that the experiment asked "
        f"for earlier and does not ask for now ({'; '.join(gone)})."
    ]


def cautions(found: Results, analysis: AlgoAnalysis) -> list[str]:
    """Return what limits the numbers of one algorithm."""
    said = []
    if any(pair.seeds < MIN_SEEDS for pair in analysis.comparisons):
        said.append(
            f"Some cells have fewer than {MIN_SEEDS} finished seeds: no interval is given for what "
            "depends on them."
        )
    elif any(pair.seeds < 10 for pair in analysis.comparisons):
        said.append(
            "With fewer than 10 seeds, percentile bootstrap intervals tend to be too narrow "
            "(Agarwal et al. 2021, section 4): a bound close to 0.5 is no proof."
        )
    if left_out := [game for game in analysis.games if game not in analysis.shared]:
        said.append(
            f"Left out of the aggregates: {', '.join(left_out)} (no reference scores, or an arm "
            "without a finished run)."
        )
    if marked := sorted(TINY_RANGE_GAMES & set(analysis.shared)):
        said.append(
            f"\u2020 {', '.join(marked)}: human and random play score nearly the same there, so "
            "human-normalised scores, and aggregates with them, mean little."
        )
    sources = results.score_sources(found, analysis.algo)
    if sources == ("training",):
        said.append("Scores are means of the last 100 training games: there was no evaluation.")
    elif len(sources) > 1:
        said.append("Scores mix evaluations and training games: compare them with care.")
    return said


def power_note(analysis: AlgoAnalysis) -> str | None:
    """Say how many seeds would show a difference of the size found; None without a comparison."""
    main = _pair(analysis, SUBJECT, BASELINE)
    if main is None:
        return None
    if main.seeds_needed is None:
        return (
            "How many seeds would be needed cannot be told: too few seeds, no reference scores, "
            "or hardly any difference."
        )
    return (
        f"If the true difference of mean human-normalised scores between {SUBJECT} and {BASELINE} "
        f"is the one found, {main.seeds_needed:,} seeds an arm show it with 80% probability at the "
        f"5% level; this experiment has {main.seeds}. The size found is itself uncertain."
    )
