"""What to be wary of: holes in the experiment, few seeds, the scale, where scores come from."""

from __future__ import annotations

from collections import Counter

from coordconv_rl.comparison import results
from coordconv_rl.comparison.baselines import declared_pairs
from coordconv_rl.comparison.report.plan_changes import changes_of_plan, named
from coordconv_rl.comparison.report.tables import are, counted
from coordconv_rl.comparison.results import NOT_WHOLE, OTHER, Results
from coordconv_rl.comparison.statistics import MIN_SEEDS, AlgoAnalysis, tiny_range_games
from coordconv_rl.configs import game_folder
from coordconv_rl.envs import reference_scores


def banners(found: Results) -> list[str]:
    """Return what a reader must know before any number: holes, and runs that still go."""
    counts = Counter(run.status for run in found.runs)
    done, planned = counts["done"], len(found.runs)
    left_out = _left_out(found)
    if done == planned:
        return left_out
    others = ", ".join(
        f"{counts[status]} {status}"
        for status in ("running", "waiting", "failed", "lost", NOT_WHOLE, OTHER)
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
        experiment.algos, tuple(map(game_folder, found.games)), experiment.arm_labels,
        experiment.seeds,
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


def limits(found: Results, analysis: AlgoAnalysis) -> list[str]:
    """Return what limits the numbers of one algorithm."""
    return [
        *_about_pairs(found, analysis),
        *changes_of_plan(found),
        *_about_seeds(analysis),
        *_about_scale(analysis),
        *_about_games(analysis),
        *_about_sources(found, analysis),
        *_about_precision(found, analysis),
    ]


def _about_pairs(found: Results, analysis: AlgoAnalysis) -> list[str]:
    declared = declared_pairs(found.experiment)
    if analysis.pairs == declared:
        return []
    return [
        "The pairs of arms were chosen for this report (--baseline), not before the runs; the "
        f"experiment compares {named(declared)}."
    ]


def _about_seeds(analysis: AlgoAnalysis) -> list[str]:
    if any(pair.seeds < MIN_SEEDS for pair in analysis.comparisons):
        return [
            f"Some cells have fewer than {MIN_SEEDS} finished seeds: no interval is given for what "
            "depends on them."
        ]
    if any(pair.seeds < 10 for pair in analysis.comparisons):
        return [
            "With fewer than 10 seeds, percentile bootstrap intervals tend to be too narrow "
            "(Agarwal et al. 2021, section 4): a bound close to 0.5 is no proof."
        ]
    return []


def _about_scale(analysis: AlgoAnalysis) -> list[str]:
    """Say what the min-max scale is, and why it is there; nothing about the human one."""
    if analysis.scale.name != "min-max":
        return []
    lacking = [game for game in analysis.games if game not in reference_scores()]
    why = "The games have no human scores"
    if len(lacking) < len(analysis.games):
        verb = "has" if len(lacking) == 1 else "have"
        why = f"{', '.join(lacking)} {verb} no human scores, the other games have"
    return [
        f"{why}: aggregates of all games are on a min-max scale, 0 the lowest and 1 the highest "
        f"finished {analysis.algo.upper()} run of a game over all arms. They are not "
        "human-normalised, and a further run or arm may move them; intervals keep the scale as it "
        "is. Probabilities of improvement go by ranks and need no scale."
    ]


def _about_games(analysis: AlgoAnalysis) -> list[str]:
    """Name the games that aggregates leave out, and those whose scale means little."""
    said = []
    is_human = analysis.scale.name == "human-normalised"
    if left_out := [game for game in analysis.games if game not in analysis.shared]:
        or_alike = "" if is_human else ", or runs that all score the same"
        said.append(
            f"Left out of the aggregates: {', '.join(left_out)} (an arm without a finished "
            f"run{or_alike})."
        )
    if marked := sorted(tiny_range_games(analysis.scale) & set(analysis.shared)):
        said.append(
            f"\u2020 {', '.join(marked)}: human and random play score nearly the same there, so "
            "human-normalised scores, and aggregates with them, mean little. Differences between "
            "arms and falls of scores leave them out where there are other games; probabilities do "
            "not, for they go by ranks."
        )
    return said


def _about_sources(found: Results, analysis: AlgoAnalysis) -> list[str]:
    sources = results.score_sources(found, analysis.algo)
    if sources == ("training",):
        return ["Scores are means of the last 100 training games: there was no evaluation."]
    if len(sources) > 1:
        return ["Scores mix evaluations and training games: compare them with care."]
    return []


def _about_precision(found: Results, analysis: AlgoAnalysis) -> list[str]:
    """Say where the runs were not computed alike, as with "auto" on unlike machines."""
    done = [run.record for run in found.runs if (run.algo, run.status) == (analysis.algo, "done")]
    kinds = Counter(record["precision"] for record in done if record and "precision" in record)
    if len(kinds) < 2:
        return []
    shares = " and ".join(f"{count} in {kind}" for kind, count in sorted(kinds.items()))
    return [
        f"Runs were not computed alike: {shares}. A precision of auto is bfloat16 where the "
        "hardware has it; where machines differ, name one."
    ]
