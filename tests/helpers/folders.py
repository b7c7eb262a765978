"""Folders of experiments, written as a comparison leaves them, without any training."""

from __future__ import annotations

import json
from pathlib import Path

from coordconv_rl.comparison import plan
from coordconv_rl.comparison.launch import ledger
from coordconv_rl.configs import make_run_id
from coordconv_rl.configs.schema import ExperimentConfig
from coordconv_rl.runs import EPISODE_COLUMNS


def experiment(**changes: object) -> ExperimentConfig:
    values = {
        "name": "trial",
        "description": "A trial.",
        "algos": ("a2c", "ppo"),
        "games": ("Pong", "DoubleDunk"),
        "arms": ("cnn", "coordconv"),
        "seeds": (3, 5),
        "steps": 1000,
        "overrides": {"ppo": {"n_steps": 64}},
    }
    return ExperimentConfig(**(values | changes))


def write_run(folder: Path, run: str, *, score: float | None = None, status: str = "done") -> Path:
    """Write a run's files: one game each 100 steps that scores its step, and an evaluation."""
    path = folder / run
    path.mkdir(parents=True)
    record = {"format": 1, "run": run, "status": status, "step": 1000, "steps": 1000}
    (path / "run.json").write_text(json.dumps(record))
    rows = "".join(f"{step},{step},400,1\n" for step in range(100, 1001, 100))
    (path / "episodes.csv").write_text(f"{EPISODE_COLUMNS}\n{rows}")
    if score is not None:
        evaluation = {"format": 1, "stochastic": {"scores": [score], "mean": score, "std": 0.0}}
        (path / "evaluation.json").write_text(json.dumps(evaluation))
    return path


def finish(folder: Path, config: ExperimentConfig, **fields: object) -> None:
    """Make a folder in which every run is done; its score is its seed."""
    plan.write_experiment(folder, config)
    for key in plan.run_keys(config):
        write_run(folder, make_run_id(*key), score=float(key[3]))
    with ledger.Ledger(folder, [make_run_id(*key) for key in plan.run_keys(config)]) as held:
        for run in list(held.entries):
            held.update(run, status="done", attempts=1)


def reopen(folder: Path) -> None:
    """Make a finished run's folder that of one that was killed before it could say so."""
    path = folder / "run.json"
    record = json.loads(path.read_text())
    record.pop("sha256", None)
    path.write_text(json.dumps(record | {"status": "running"}))
