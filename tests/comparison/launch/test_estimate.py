"""What a comparison costs, from the folder's own runs or from a measurement."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from folders import experiment, finish, write_run
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticCnnPolicy

from coordconv_rl.comparison import plan
from coordconv_rl.comparison.launch import estimate
from coordconv_rl.comparison.launch.compare import LaunchOptions, run_comparison
from coordconv_rl.comparison.launch.estimate import Cost, estimate_cost, measure_speed
from coordconv_rl.comparison.launch.local import LocalBackend

PROGRAM = """
import json, sys, time
from pathlib import Path
folder, began = Path(sys.argv[1]), time.time()
while True:
    step = int(1000 * (time.time() - began)) + 1
    values = {"run": "r", "status": "running", "step": step, "steps": 10**9}
    (folder / "new").write_text(json.dumps(values))
    (folder / "new").rename(folder / "run.json")
    time.sleep(0.01)
"""


def cost(**changes) -> Cost:
    values = {
        "runs": 12, "planned": 20, "steps": 7_200_000, "jobs": 4, "cores": 2, "seconds": 7200.0,
        "source": "as measured", "disk": 5 * 10**8, "free": 10**9,
    }  # fmt: skip
    return Cost(**values | changes)


def test_the_line_says_runs_steps_cores_hours_and_disk():
    assert str(cost()) == (
        "12 of 20 runs to do: 7,200,000 steps, 4 at a time on 8 cores; 4 core-hours, 30:00 "
        "(as measured); 0.5 GB of disk, 1.0 GB are free"
    )
    assert "hours unknown" in str(cost(seconds=None))
    assert str(cost(disk=2 * 10**9)).endswith("MAKE ROOM FIRST")
    assert str(cost(runs=0)) == "0 of 20 runs to do"


def test_the_folders_own_runs_tell_speed_and_size(tmp_path):
    config = experiment(algos=("ppo",), games=("Pong",))
    plan.write_experiment(tmp_path, config)
    run = write_run(tmp_path, "ppo/Pong/cnn/seed-3", score=1.0)
    text = (run / "run.json").read_text()
    (run / "run.json").write_text(text.replace("{", '{"steps_per_second": 50.0, ', 1))
    (run / "checkpoints").mkdir()
    (run / "checkpoints" / "step-1000.safetensors").write_bytes(bytes(1000))
    write_run(tmp_path, "ppo/Pong/cnn/seed-5", score=1.0)  # small, for it has none
    size = sum(path.stat().st_size for path in run.rglob("*"))
    found = estimate_cost(tmp_path, plan.expand(config), 2, None)
    assert (found.runs, found.planned, found.steps) == (2, 4, 2000)
    assert found.seconds == 40.0  # 2 runs of 1,000 steps at 50 a second
    assert found.disk == 2 * size
    assert "own runs" in found.source


def test_what_is_finished_costs_nothing_and_what_nobody_has_measured_is_unknown(tmp_path):
    config = experiment()
    assert estimate_cost(tmp_path / "new", plan.expand(config), 1, None).seconds is None
    finish(tmp_path, config)
    assert estimate_cost(tmp_path, plan.expand(config), 1, None).runs == 0


def test_large_images_make_large_checkpoints(tmp_path):
    """By the weights of an agent: SB3's Nature network has 17x17 last maps at 168 pixels a side."""
    disk = []
    for size in (42, 84, 168):
        asked = experiment(screen_size=size, algos=("ppo",))
        disk.append(estimate_cost(tmp_path, plan.expand(asked), 2, None).disk)
    space = spaces.Box(0, 255, (4, 168, 168), np.uint8)
    policy = ActorCriticCnnPolicy(space, spaces.Discrete(4), lambda _: 1e-3, net_arch=[])
    three = 3 * 4 * sum(weights.numel() for weights in policy.parameters())  # Adam's moments, too
    assert disk[0] == disk[1]
    assert 0.9 < disk[2] / (8 * 2 * three) < 1.1  # eight runs, two checkpoints each


def test_a_measurement_takes_its_seconds_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(estimate, "MEASURE_SECONDS", 1.0)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    backend = LocalBackend((sys.executable, "-c", PROGRAM))
    speed = measure_speed(plan.expand(experiment())[0], backend)
    assert speed == pytest.approx(1000, rel=0.3)
    assert list(tmp_path.iterdir()) == []
    broken = LocalBackend((sys.executable, "-c", "raise SystemExit(1)"))
    assert measure_speed(plan.expand(experiment())[0], broken) is None


def test_why_a_measured_run_fails_is_said_and_a_dry_run_does_not_end_well(tmp_path, caplog):
    program = "import sys; print('error: pip install it', file=sys.stderr); sys.exit(2)"
    backend = LocalBackend((sys.executable, "-c", program))
    configs = plan.expand(experiment())
    cost = estimate_cost(tmp_path / "new", configs, 1, backend)
    assert cost.fails
    assert cost.seconds is None
    tried = [next(c.run_id for c in configs if c.algo == algo) for algo in ("a2c", "ppo")]
    assert caplog.messages == [f"{run} fails: pip install it" for run in tried]


def test_a_dry_run_of_an_extractor_that_cannot_be_built_is_a_failure(tmp_path, caplog):
    (tmp_path / "broken.py").write_text(
        "from stable_baselines3.common.torch_layers import NatureCNN\n"
        "class Broken(NatureCNN):\n    def __init__(self, space): raise ValueError('no such')\n"
    )
    said = experiment(arms=({"name": "own", "extractor": "broken:Broken"},), algos=("ppo",))
    options = LaunchOptions(dry_run=True)
    found = run_comparison(said, tmp_path / "new", jobs=1, options=options, code=tmp_path)
    assert found == 1
    assert "no such" in caplog.text
    assert not (tmp_path / "new").exists()


def test_a_measured_run_that_says_nothing_is_not_spoken_of(caplog):
    """Its log is gone with its folder, so there is nothing to refer to."""
    backend = LocalBackend((sys.executable, "-c", "raise SystemExit(1)"))
    assert measure_speed(plan.expand(experiment())[0], backend) is None
    assert not caplog.messages


def test_a_dry_run_says_it_and_makes_nothing(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(estimate, "measure_speed", lambda config, backend: 100.0)
    options = LaunchOptions(dry_run=True)
    assert run_comparison(experiment(), tmp_path / "new", jobs=2, options=options) == 0
    said = capsys.readouterr().out
    assert "16 of 16 runs to do: 16,000 steps, 2 at a time" in said
    assert "0.0444 core-hours, 1:20 (from 10 seconds of one run alone" in said
    assert not (tmp_path / "new").exists()
