"""How an experiment was made: its protocol, versions, machines, and the command to repeat it."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import product
from typing import Any

from coordconv_rl.arms import arm_value
from coordconv_rl.comparison.baselines import declared_pairs
from coordconv_rl.comparison.report.plan_changes import named
from coordconv_rl.comparison.report.tables import counted
from coordconv_rl.comparison.results import Results
from coordconv_rl.comparison.statistics import (
    BOOTSTRAP_SEED,
    MIN_SEEDS,
    PERMUTATIONS,
    RESAMPLES,
    AlgoAnalysis,
)
from coordconv_rl.configs import ExperimentConfig, needs_code, preset
from coordconv_rl.envs import SCREEN_SIZE, Family, ImageGame
from coordconv_rl.runs import EXPERIMENT_FILE

_PROTOCOL_WORDS = {
    "v4": "v4: no sticky actions; a life lost ends the learner's episode while training",
    "v5": "v5: sticky actions with probability 0.25; no episodes end at a life lost",
}
_PATH_WORDS = {
    "fast": "fast path: this package's policy, algorithms and rollout buffer; all arms alike",
    "plain": "plain path: SB3's own policy, algorithms and rollout buffer; all arms alike",
}
_SCALES: dict[str, str] = {
    "human-normalised": (
        "Human-normalised: (score - random) / (human - random); 0 is random play, 1 a human tester."
    ),
    "min-max": (
        "Min-max: (score - lowest) / (highest - lowest), between the lowest and the highest "
        "finished run of the game over all arms of the algorithm. It compares arms with each other "
        "and says nothing of human play; a run or an arm more may move it. Intervals keep it as it "
        "is. "
        "Learning curves are on the same scale, so that they may leave 0 to 1."
    ),
}


def method_notes(analyses: Sequence[AlgoAnalysis]) -> tuple[str, ...]:
    """Return how the numbers are made, one sentence or a few for each kind."""
    scales = dict.fromkeys(analysis.scale.name for analysis in analyses)
    gap = " Optimality gap: how far runs stay below human level." * ("human-normalised" in scales)
    return (
        "A seed is the unit: a run's score is the mean of its evaluation games, with sampled "
        "actions.",
        *(_SCALES[name] for name in scales),
        f"IQM: the mean of the middle half of all runs.{gap} Probability of improvement: how often "
        "a run of one arm beats one of another on the same game, ties counting half, averaged over "
        "games (Agarwal et al. 2021, arXiv 2108.13264). It goes by ranks of raw scores.",
        f"Intervals: 95%, percentile bootstrap over seeds, stratified by game, {RESAMPLES:,} "
        f"resamples (500 for bands), generator seed {BOOTSTRAP_SEED}. None is given under "
        f"{MIN_SEEDS} seeds.",
        "p of a pair: a permutation test of the probability of improvement, two-sided, stratified "
        f"by game; exact, or of {PERMUTATIONS:,} drawn permutations where there are too many to "
        "count. It is corrected by Holm's method (1979) for all pairs of the algorithm that are "
        "compared, also those that lack runs yet.",
        "Area under the curve: the mean height of a run's learning curve; a measure of sample "
        "efficiency.",
        "Seeds needed: if the true difference of means is the one found, so many seeds an arm show "
        "it with 80% probability at the 5% level, by a t-test. The size found is itself uncertain.",
        "Paired difference: the mean over seeds of the difference of two runs with the same game "
        "and seed. p of a game: Welch's t-test over seeds, corrected for the number of games.",
        "Fall: an agent's score as trained minus that with disturbed coordinates. Heads are "
        "compared by their agents' falls as arms by their runs' scores; p is corrected for all "
        "comparisons of falls of the algorithm.",
        "Missing runs are counted and shown, and never filled in.",
    )


def protocol(found: Results) -> list[tuple[str, str]]:
    """Return what the experiment did and where, as names and values."""
    experiment = found.experiment
    evaluation = experiment.evaluation
    actions = "all 18" if experiment.full_action_space else "the game's own"
    judged = f"{counted(evaluation.episodes, 'game')} a run" if evaluation.episodes else "none"
    side = experiment.screen_size
    atari = [("Atari protocol", _PROTOCOL_WORDS[experiment.protocol])]
    atari += [("Atari images", f"{side} pixels a side")] if side != SCREEN_SIZE else []
    facts = [
        ("Arms", ", ".join(experiment.arm_labels)),
        *((f"Arm {label}", text) for label, text in _own_arms(experiment)),
        ("Compared", _compared(experiment)),
        ("Games", ", ".join(found.games)),
        ("Seeds", ", ".join(map(str, experiment.seeds))),
        ("Training", _training(experiment)),
        *(atari if "atari" in experiment.families else ()),
        ("Actions", actions),
        ("Evaluation", f"{judged}, other seeds than training, no life-loss episodes"),
        *((f"Evaluation of {game}", text) for game, text in _judged_otherwise(experiment)),
        ("Backbone", experiment.common_backbone or "each game's own"),
        ("Head", experiment.head),
        ("Computation", _PATH_WORDS[experiment.path]),
    ]
    for algo, family in product(experiment.algos, experiment.families):
        settings = asdict(preset(algo, experiment.overrides.get(algo), family))
        text = ", ".join(f"{name} {value}" for name, value in settings.items() if value is not None)
        where = f", {family}" if len(experiment.families) > 1 else ""
        facts.append((algo.upper() + where, text))
    started = [run for run in found.runs if run.record]
    checked = sum(run.is_checked for run in started)
    facts.append(("Files", f"compared with their digests: {checked} of {len(started)} runs"))
    return facts + _conditions([run.record for run in started if run.record])


def _judged_otherwise(experiment: ExperimentConfig) -> list[tuple[str, str]]:
    """Return the games that agents are judged in otherwise than they are trained, and how."""
    made = {name: experiment.environments.get(name) for name in experiment.games}
    return [
        (name, ", ".join(_otherwise(game)))
        for name, game in made.items()
        if game is not None and game.evaluation_kwargs
    ]


def _otherwise(game: ImageGame) -> list[str]:
    return [
        f"{key} {value} (in training {game.kwargs.get(key, 'its default')})"
        for key, value in game.evaluation_kwargs.items()
    ]


def _compared(experiment: ExperimentConfig) -> str:
    """Say which pairs of arms are compared and by what margin they are called equal."""
    how = "as the experiment names them" if experiment.comparisons else "as follows from the arms"
    margin = experiment.equivalence
    equal = (
        ""
        if margin is None
        else f"; called equal where means differ by less than {margin:g}, but not near random play"
    )
    return f"{named(declared_pairs(experiment))} ({how}){equal}"


def _own_arms(experiment: ExperimentConfig) -> list[tuple[str, str]]:
    """Return what each arm says that is no built-in one."""
    arms = experiment.arms_by_label
    values = {label: arm_value(arm) for label, arm in arms.items()}
    return [(label, _said(value)) for label, value in values.items() if isinstance(value, dict)]


def _said(value: dict[str, Any]) -> str:
    return ", ".join(f"{key} {said}" for key, said in value.items() if key != "name")


def _training(experiment: ExperimentConfig) -> str:
    """Say how long runs train, what a step is, and how stopped runs went on."""
    families = experiment.families.values()
    frames = [f"{_frames(experiment, family)} each ({family.name})" for family in families]
    text = f"{experiment.steps:,} environment steps a run, {', '.join(frames)}"
    inexact = ", ".join(family.name for family in families if not family.is_exact)
    return f"{text}; stopped runs went on with new games ({inexact})" if inexact else text


def _frames(experiment: ExperimentConfig, family: Family) -> str:
    """Say how many frames of the game an environment step is; a Gymnasium game may skip some."""
    made = [game for game in experiment.games if game in experiment.environments]
    skips = {experiment.environments[game].skip for game in made}
    if family.name != "gymnasium" or not skips:
        return counted(family.frames, "frame")
    each = sorted(skips if len(made) == len(experiment.games) else skips | {1})
    return counted(each[0], "frame") if len(each) == 1 else f"{' or '.join(map(str, each))} frames"


def command(found: Results) -> str:
    """Return the command that makes the experiment again, in another folder.

    Code of somebody's own is not in the folder: the command says where to put that of it.
    """
    path = found.folder / EXPERIMENT_FILE
    again = f"runs/{found.experiment.name}-again"
    text = f"coordconv-rl compare {shlex.quote(str(path))} --folder {again}"
    if needs_code(found.experiment):
        return f"PYTHONPATH=FOLDER_OF_YOUR_CODE {text} --trust-code"
    return text


def _conditions(records: list[dict[str, Any]]) -> list[tuple[str, str]]:
    machines = [_mapping(record, "machine") for record in records]
    versions = [_mapping(record, "versions") for record in records]
    packages = sorted({name for known in versions for name in known})
    return [
        ("Commit", _counted(record.get("commit") for record in records)),
        ("Python", _counted(record.get("python") for record in records)),
        *((name, _counted(known.get(name) for known in versions)) for name in packages),
        ("Precision", _counted(record.get("precision") for record in records)),
        ("Device", _counted(record.get("device") for record in records)),
        ("Host", _counted(record.get("host") for record in records)),
        ("Processor", _counted(machine.get("cpu") for machine in machines)),
        ("Cores", _counted(machine.get("cores") for machine in machines)),
    ]


def _mapping(record: dict[str, Any], key: str) -> dict[str, Any]:
    value = record.get(key)
    return value if isinstance(value, dict) else {}


def _counted(values: Iterable[object]) -> str:
    """Return the value, or each with the number of its runs where they differ."""
    counts = Counter("unknown" if value is None else str(value) for value in values)
    if len(counts) <= 1:
        return next(iter(counts), "unknown")
    return ", ".join(f"{value} ({counted(count, 'run')})" for value, count in counts.most_common())
