"""An experiment's folder as data: every planned run, whether it ended, failed or never started.

Nothing is dropped on the way: a run without files is a `RunResult` that says so, and a damaged
file stops the reading with its name. Steps are environment steps of four frames each.
"""

from __future__ import annotations

import math
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
    EPISODES_FILE,
    EVALUATION_FILE,
    RECORD_FILE,
    damaged,
    find_runs,
    read_episodes,
    read_json,
)

TRAINING_GAMES = 100  # last full games whose mean stands for the score before an evaluation


@dataclass(frozen=True)
class RunResult:
    """What one planned run has left in its folder so far.

    Attributes:
        algo: The algorithm.
        game: The game's Gymnasium name.
        arm: The arm's name.
        seed: The seed.
        folder: The run's folder, whether or not it exists.
        status: waiting, running, done, failed or lost, as the ledger has it.
        reason: Why it failed or was lost, if it was.
        attempts: How often its process was started.
        record: The contents of `run.json`, or None before the run's first start.
        evaluation: The contents of `evaluation.json`, or None before the evaluation.
        episodes: Full games of the training, in order of environment steps; a structured array
            with the fields step, score (raw), frames (emulator frames) and life_loss.
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
        arm: {game: {} for game in results.games} for arm in results.experiment.arms
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
    name = make_run_id(*key)
    path = folder / name
    record = read_json(path / RECORD_FILE, ("run", "status", "step", "steps"))
    if record is not None:
        _check_record(path / RECORD_FILE, record, name)
    evaluation = read_json(path / EVALUATION_FILE, ("stochastic",))
    if evaluation is not None:
        _check_evaluation(path / EVALUATION_FILE, evaluation)
    episodes = read_episodes(path / EPISODES_FILE)
    status, reason, attempts = entry.status, entry.reason, entry.attempts
    return RunResult(*key, path, status, reason, attempts, record, evaluation, episodes)


def _check_record(path: Path, record: dict[str, Any], run: str) -> None:
    if record["run"] != run:
        raise InputError(f"{path} belongs to the run {record['run']}, not to {run}")
    if not isinstance(record["step"], int) or not 0 <= record["step"] < 2**63:
        raise damaged(path, f"its step is {record['step']!r}")


def _check_evaluation(path: Path, evaluation: dict[str, Any]) -> None:
    sampled = evaluation["stochastic"]
    mean = sampled.get("mean") if isinstance(sampled, dict) else None
    if not isinstance(mean, int | float) or not -math.inf < mean < math.inf:
        raise damaged(path, "stochastic has no mean that is a number")


def check_foreign(folder: Path, asked: set[str]) -> None:
    """Raise `InputError` if an experiment's folder holds runs that nobody has asked for."""
    found = {run.relative_to(folder).as_posix() for run in find_runs(folder, RECORD_FILE)}
    if foreign := sorted(found - asked):
        raise InputError(
            f"{folder} holds runs that nobody has asked for, such as {foreign[0]}: "
            "two experiments are mixed; move one of them out"
        )
