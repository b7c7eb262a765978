"""Experiment folders without training: the files that real runs leave, with made-up scores."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np

from coordconv_rl.comparison import plan
from coordconv_rl.comparison.report.write import write_report
from coordconv_rl.configs import make_run_id
from coordconv_rl.configs.schema import Evaluation, ExperimentConfig
from coordconv_rl.envs.games import Reference, reference_scores

SMALL = {"games": ("Pong",), "seeds": (1, 2, 3)}
EFFECT = {"coordconv": 0.6, "coordconv-r": 0.3, "coordconv-all": 0.2, "coordconv-actor": 0.1}


def make_experiment(folder: Path, status=lambda key: "done", **changes) -> ExperimentConfig:
    """Write an experiment's folder; `status` gives each (algo, game, arm, seed) its state."""
    values = {
        "name": "made-up",
        "description": "A comparison with <made-up> scores & none of them real",
        "algos": ("ppo",),
        "arms": ("cnn", "coordconv", "shuffled"),
        "seeds": (1, 2, 3, 4, 5),
        "steps": 100_000,
        "games": ("Breakout", "Pong", "Seaquest"),
        "evaluation": Evaluation(episodes=5),
    }
    experiment = ExperimentConfig(**values | changes)
    plan.write_experiment(folder, experiment)
    lines = []
    for key in plan.run_keys(experiment):
        state = status(key)
        reason = "Python stopped: <killed> by signal 9" if state in {"failed", "lost"} else None
        attempts = 0 if state == "waiting" else 1
        entry = {"run": make_run_id(*key), "status": state, "attempts": attempts, "reason": reason}
        lines.append(json.dumps(entry) + "\n")
        if state != "waiting":
            write_run(folder, experiment, key, state)
    (folder / "ledger.jsonl").write_text("".join(lines))
    return experiment


def score_of(key, human: float) -> float:
    """A run's true final score, from its key alone."""
    _, game, arm, seed = key
    reference = reference_scores().get(game, Reference(1.0, 11.0, None, None))
    noise = np.random.default_rng([*arm.encode(), *game.encode(), seed]).normal(0, 0.08)
    return reference.random + (human + EFFECT.get(arm.removesuffix("-pool"), 0.0) + noise) * (
        reference.human - reference.random
    )


def write_run(folder: Path, experiment: ExperimentConfig, key, state: str) -> None:
    """Write one run's record, training games and, if it is done, evaluation."""
    _, _, arm, seed = key
    run = folder / make_run_id(*key)
    (run / "checkpoints").mkdir(parents=True)
    steps = experiment.steps if state == "done" else experiment.steps * 2 // 5
    record = {
        "format": 1, "run": make_run_id(*key), "experiment": experiment.name, "status": state,
        "reason": None, "attempts": 1, "step": steps, "steps": experiment.steps, "seconds": 400.0,
        "steps_per_second": 900.0 + seed, "recent_score": 1.0, "episodes": 40,
        "parameters": 1_686_693 + 4_096 * (not arm.startswith("cnn")), "precision": "bfloat16",
        "device": "cpu", "host": "host-a", "versions": {"torch": "2.13.0", "numpy": "2.4.6"},
        "python": "3.11.9", "commit": "0123abc", "command": "coordconv-rl train",
        "machine": {"cpu": "A processor", "cores": 2},
    }  # fmt: skip
    (run / "run.json").write_text(json.dumps(record))
    final, start = score_of(key, 0.5), score_of(key, 0.0)
    at = np.linspace(0, 1, 41)[1:]
    rows = [
        f"{int(where * experiment.steps)},{start + (final - start) * where:g},4000,1"
        for where in at
        if where * experiment.steps <= steps
    ]
    (run / "episodes.csv").write_text("\n".join(["step,score,frames,life_loss", *rows]) + "\n")
    if state == "done" and experiment.evaluation.episodes:
        games = {"scores": [final] * 5, "mean": final, "std": 0.0, "human_normalised": None}
        evaluation = {"format": 1, "run": make_run_id(*key), "stochastic": games, "greedy": None}
        (run / "evaluation.json").write_text(json.dumps(evaluation))


def write_inspection(folder: Path, key, **changes) -> None:
    """Write one run's inspection."""
    scores = {"trained": {"mean": 30.0}, "zeroed": {"mean": 12.5}, "permuted": {"mean": 8.0}}
    values = {"format": 1, "run": make_run_id(*key), "episodes": 5, "share": 0.215}
    text = json.dumps(values | {"scores": scores} | changes)
    (folder / make_run_id(*key) / "inspection.json").write_text(text)


def report(folder: Path) -> str:
    """Write an experiment's report and return the page."""
    return write_report(folder).read_text(encoding="utf-8")


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    """Read one of a report's tables."""
    with (folder / "report" / name).open(newline="") as file:
        return list(csv.DictReader(file))
