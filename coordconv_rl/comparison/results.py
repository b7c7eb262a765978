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
from coordconv_rl.comparison.entries import Entry, check_planned, read_ledger, read_requests
from coordconv_rl.configs import Algo, ExperimentConfig, make_run_id
from coordconv_rl.errors import InputError
from coordconv_rl.runs import (
    EPISODE_DTYPE,
    RECORD_FILE,
    NotWhole,
    RunFiles,
    find_runs,
    is_checked,
    read_run,
)

NOT_WHOLE = "not whole"  # beside the ledger's statuses
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
            file is not what it was when it was written, and the run is left out of every number.
        reason: Why it failed, was lost or is not whole.
        attempts: How often its process was started.
        record: The contents of `run.json`, or None before the run's first start.
        evaluation: The contents of `evaluation.json`, or None before the evaluation.
        episodes: Full games of the training, in order of environment steps; a structured array
            with the fields step, score (raw), frames (emulator frames) and life_loss.
        inspection: The contents of `inspection.json`, or None where nobody has inspected it.
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
    """

    folder: Path
    experiment: ExperimentConfig
    games: tuple[str, ...]
    runs: tuple[RunResult, ...]
    left_out: tuple[str, ...] = ()


def read_results(folder: Path | str) -> Results:
    """Read an experiment's folder, also while it runs and when runs have failed.

    Raises:
        InputError: The folder holds no experiment, runs of another one, or a damaged file.
    """
    folder = Path(folder)
    experiment = plan.read_experiment(folder)
    keys = plan.run_keys(experiment)
    planned = {make_run_id(*key) for key in keys}
    asked = planned | {run for request in read_requests(folder) for run in request.runs()}
    check_foreign(folder, asked)
    entries = read_ledger(folder)
    check_planned(folder, entries, asked)
    waiting = Entry(run="")
    runs = tuple(_read_run(folder, key, entries.get(make_run_id(*key), waiting)) for key in keys)
    others = (entry for run, entry in entries.items() if run not in planned)
    left_out = tuple(entry.run for entry in others if entry.attempts)
    return Results(folder, experiment, plan.planned_games(experiment), runs, left_out)


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


def step_grid(experiment: ExperimentConfig, points: int = 50) -> NDArray[np.int64]:
    """Evenly spaced environment steps up to the experiment's length, the last one included."""
    return np.linspace(0, experiment.steps, points + 1).round().astype(np.int64)[1:]


def curve(
    run: RunResult, grid: NDArray[np.int64], *, window: int | None = None
) -> NDArray[np.float64]:
    """A run's learning curve on a grid of environment steps, shape (len(grid),).

    Args:
        run: The run.
        grid: Environment steps in rising order.
        window: How many environment steps before a grid step count; a tenth of the grid's last
            step if None.

    Returns:
        The mean raw score of the full games that ended in the window up to each grid step; NaN
        where none did and beyond what the run has trained.
    """
    trained = max(run.step, int(grid[-1])) if run.status == "done" else run.step
    return smooth(run.episodes, grid, trained=trained, window=window)


def smooth(
    episodes: NDArray[np.void],
    grid: NDArray[np.int64],
    *,
    trained: int,
    window: int | None = None,
) -> NDArray[np.float64]:
    """Return the `curve` of full games, as `read_episodes` gives them, up to the step `trained`."""
    window = max(1, int(grid[-1]) // 10) if window is None else window
    steps = episodes["step"]
    sums = np.concatenate([[0.0], np.cumsum(episodes["score"])])
    first = np.searchsorted(steps, grid - window, side="right")
    last = np.searchsorted(steps, grid, side="right")
    counts = last - first
    means = (sums[last] - sums[first]) / np.maximum(counts, 1)
    return np.where((counts > 0) & (grid <= trained), means, np.nan)


def curves(
    results: Results, algo: str, game: str, arm: str, grid: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Learning curves of one cell's seeds, shape (runs with a first game, len(grid))."""
    rows = [
        curve(run, grid)
        for run in results.runs
        if (run.algo, run.game, run.arm) == (algo, game, arm) and len(run.episodes)
    ]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(grid))


def _read_run(folder: Path, key: plan.RunKey, entry: Entry) -> RunResult:
    """Read a run's files; where they are not what they were, it is left out."""
    path = folder / make_run_id(*key)
    status, reason = str(entry.status), entry.reason
    try:
        found = read_run(path, make_run_id(*key))
    except NotWhole as why:
        status, reason = NOT_WHOLE, str(why)
        found = RunFiles(None, None, np.empty(0, EPISODE_DTYPE), None)
    return RunResult(
        *key,
        folder=path,
        status=status,
        reason=reason,
        attempts=entry.attempts,
        record=found.record,
        evaluation=found.evaluation,
        episodes=found.episodes,
        inspection=found.inspection,
    )


def check_foreign(folder: Path, asked: set[str]) -> None:
    """Raise `InputError` if an experiment's folder holds runs that nobody has asked for."""
    found = {run.relative_to(folder).as_posix() for run in find_runs(folder, RECORD_FILE)}
    if foreign := sorted(found - asked):
        raise InputError(
            f"{folder} holds runs that nobody has asked for, such as {foreign[0]}: "
            "two experiments are mixed; move one of them out"
        )
