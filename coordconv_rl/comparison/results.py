"""An experiment's folder as data: every planned run, whether it ended, failed or never started.

Nothing is dropped on the way: a run without files is a `RunResult` that says so, and a damaged
file stops the reading with its name. Steps are environment steps of four frames each.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coordconv_rl.comparison import plan
from coordconv_rl.comparison.entries import (
    Entry,
    RunRequest,
    check_planned,
    read_ledger,
    read_requests,
)
from coordconv_rl.configs import Algo, ExperimentConfig, RunConfig, make_run_id
from coordconv_rl.errors import InputError
from coordconv_rl.runs import (
    CONFIG_FILE,
    EPISODE_DTYPE,
    EVALUATION_FILE,
    RECORD_FILE,
    NotWhole,
    RunFiles,
    find_runs,
    is_checked,
    is_inspected_at,
    read_run,
)

NOT_WHOLE, OTHER = "not whole", "of other settings"  # beside the ledger's statuses
REMEDY = "restore it, or call coordconv-rl compare again, which makes what is missing"
TRAINING_GAMES = 100  # last full games whose mean stands for the score before an evaluation


@dataclass(frozen=True)
class RunResult:
    """What one planned run has left in its folder so far.

    Attributes:
        algo: The algorithm.
        game: The game's Gymnasium name.
        arm: The arm's label.
        seed: The seed.
        folder: The run's folder, whether or not it exists.
        status: waiting, running, done, failed or lost, as the ledger has it; or not whole, if a
            file is not what it was when it was written, or of other settings, if it is done but
            not as the experiment says. Then it is left out of every number.
        reason: Why it failed, was lost, is not whole or is another run.
        attempts: How often its process was started.
        record: The contents of `run.json`, or None before the run's first start.
        evaluation: The contents of `evaluation.json`, or None before the evaluation.
        episodes: Full games of the training, in order of environment steps; a structured array
            with the fields step, score (raw), frames (emulator frames) and life_loss.
        inspection: The contents of `inspection.json`; None where nobody has inspected it, and
            where it was inspected before its training's end.
    """

    algo: Algo
    game: str
    arm: str
    seed: int
    folder: Path
    status: str
    reason: str | None
    attempts: int
    record: dict[str, Any] | None
    evaluation: dict[str, Any] | None
    episodes: NDArray[np.void]
    inspection: dict[str, Any] | None = None

    @property
    def is_checked(self) -> bool:
        """Whether its files were compared with digests; version 0.1.0 left none."""
        return is_checked(self.record)

    @property
    def run_id(self) -> str:
        """The run's id: algo/game/arm/seed-n."""
        return make_run_id(self.algo, self.game, self.arm, self.seed)

    @property
    def step(self) -> int:
        """Environment steps trained so far."""
        return int(self.record["step"]) if self.record else 0


@dataclass(frozen=True)
class Results:
    """An experiment and all its planned runs, in the plan's order.

    Attributes:
        folder: The experiment's folder.
        experiment: The resolved configuration.
        games: The games, whether the experiment names them or a suite.
        runs: One result for each planned run.
        left_out: Ids of runs that were asked for earlier and have started, but are not planned now.
        requests: Who asked for which runs and pairs, the first one first.
    """

    folder: Path
    experiment: ExperimentConfig
    games: tuple[str, ...]
    runs: tuple[RunResult, ...]
    left_out: tuple[str, ...] = ()
    requests: tuple[RunRequest, ...] = ()


def read_results(folder: Path | str) -> Results:
    """Read an experiment's folder, also while it runs and when runs have failed.

    Raises:
        InputError: The folder holds no experiment, runs of another one, or a damaged file.
    """
    folder = Path(folder)
    experiment = plan.read_experiment(folder)
    keys = plan.run_keys(experiment)
    planned = {make_run_id(*key) for key in keys}
    requests = read_requests(folder)
    asked = planned | {run for request in requests for run in request.runs()}
    check_foreign(folder, asked)
    entries = read_ledger(folder)
    check_planned(folder, entries, asked)
    waiting = Entry(run="")
    runs = tuple(
        _read_run(folder, key, entries.get(make_run_id(*key), waiting), config)
        for key, config in zip(keys, plan.expand(experiment), strict=True)
    )
    others = (entry for run, entry in entries.items() if run not in planned)
    left_out = tuple(entry.run for entry in others if entry.attempts)
    games = plan.planned_games(experiment)
    return Results(folder, experiment, games, runs, left_out, requests)


def final_score(run: RunResult) -> tuple[float, str] | None:
    """A run's raw score and where it comes from, or None before its first full game.

    Returns:
        The mean of the evaluation's games with sampled actions and "evaluation"; without one, the
        mean of the last 100 full games of the training and "training".
    """
    if run.evaluation is not None:
        return float(run.evaluation["stochastic"]["mean"]), "evaluation"
    if len(run.episodes):
        return float(run.episodes["score"][-TRAINING_GAMES:].mean()), "training"
    return None


def final_scores(
    results: Results, algo: str, *, unfinished: bool = False
) -> dict[str, dict[str, dict[int, float]]]:
    """Raw scores by arm, game and seed; runs without a score are absent, never imputed.

    Args:
        results: The experiment.
        algo: The algorithm whose runs are wanted.
        unfinished: Whether runs that are not done count with their score so far.
    """
    scores: dict[str, dict[str, dict[int, float]]] = {
        arm: {game: {} for game in results.games} for arm in results.experiment.arm_labels
    }
    for run in results.runs:
        found = final_score(run) if run.status == "done" or unfinished else None
        if run.algo == algo and found is not None:
            scores[run.arm][run.game][run.seed] = found[0]
    return scores


def score_sources(results: Results, algo: str) -> tuple[str, ...]:
    """Where the scores of the finished runs come from: "evaluation", "training", both or none."""
    done = [run for run in results.runs if run.algo == algo and run.status == "done"]
    return tuple(sorted({found[1] for run in done if (found := final_score(run)) is not None}))


def _read_run(folder: Path, key: plan.RunKey, entry: Entry, config: RunConfig) -> RunResult:
    """Read a run's files; where they are not what they were or should be, it is left out."""
    path = folder / make_run_id(*key)
    status, reason = str(entry.status), entry.reason
    try:
        found = read_run(path, make_run_id(*key))
        if status == "done":
            status, reason = _judged(path, config, found)
            if status != "done":
                found = RunFiles(found.record, None, np.empty(0, EPISODE_DTYPE), None)
    except NotWhole as why:
        status, reason = NOT_WHOLE, str(why)
        found = RunFiles(None, None, np.empty(0, EPISODE_DTYPE), None)
    inspection = found.inspection
    if status != "done" or not (found.record and is_inspected_at(inspection, found.record["step"])):
        inspection = None
    return RunResult(
        *key,
        folder=path,
        status=status,
        reason=reason,
        attempts=entry.attempts,
        record=found.record,
        evaluation=found.evaluation,
        episodes=found.episodes,
        inspection=inspection,
    )


def _judged(path: Path, config: RunConfig, found: RunFiles) -> tuple[str, str | None]:
    """Return the status of a run that the ledger has as done, and why it does not count.

    Raises:
        NotWhole: Its files are gone.
    """
    if found.record is None:
        raise NotWhole(f"{path / RECORD_FILE} is gone: {REMEDY}")
    if config.evaluation.episodes and found.evaluation is None:
        raise NotWhole(f"{path / EVALUATION_FILE} is gone: {REMEDY}")
    made = plan.made_with(path / CONFIG_FILE, config)
    changed = [] if made is None else plan.differences(made, config)
    if not changed and found.record["steps"] != config.steps:
        changed = [("steps", found.record["steps"], config.steps)]
    if not changed:
        return "done", None
    said = "; ".join(f"{name} was {own}, it says {planned}" for name, own, planned in changed)
    return OTHER, f"not trained as the experiment says: {said}"


def check_foreign(folder: Path, asked: set[str]) -> None:
    """Raise `InputError` if an experiment's folder holds runs that nobody has asked for."""
    found = {run.relative_to(folder).as_posix() for run in find_runs(folder, RECORD_FILE)}
    if foreign := sorted(found - asked):
        raise InputError(
            f"{folder} holds runs that nobody has asked for, such as {foreign[0]}: "
            "two experiments are mixed; move one of them out"
        )
