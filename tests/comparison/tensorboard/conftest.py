"""A comparison that TensorBoard shows while it runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from folders import experiment, write_run

from coordconv_rl.comparison import plan
from coordconv_rl.runs import EPISODE_COLUMNS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four runs of two seeds: seed 3 is done, seed 5 is half way with twice its scores."""
    plan.write_experiment(tmp_path, experiment(algos=("ppo",), games=("Pong",)))
    for arm in ("cnn", "coordconv"):
        write_run(tmp_path, f"ppo/Pong/{arm}/seed-3")
        path = write_run(tmp_path, f"ppo/Pong/{arm}/seed-5", status="running")
        record = json.loads((path / "run.json").read_text())
        (path / "run.json").write_text(json.dumps(record | {"step": 500}))
        rows = "".join(f"{step},{2 * step},400,1\n" for step in range(100, 501, 100))
        (path / "episodes.csv").write_text(f"{EPISODE_COLUMNS}\n{rows}")
    return tmp_path
