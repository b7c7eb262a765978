"""The launcher with real processes, real signals and real kills.

Most tests run a small worker that keeps the contract of `coordconv-rl train --resume` (run.json,
checkpoints, exit codes) without training, since starting torch dozens of times teaches nothing.
One test runs the real one.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from light_worker import HERE, LAUNCHER, RUNS, WORKER, experiment, wait_for

from coordconv_rl.comparison import plan
from coordconv_rl.comparison.launch import compare as launch
from coordconv_rl.comparison.launch import ledger
from coordconv_rl.comparison.launch.compare import LaunchOptions
from coordconv_rl.comparison.launch.local import LocalBackend
from coordconv_rl.comparison.results import load_experiment
from coordconv_rl.configs.schema import Evaluation
from coordconv_rl.errors import InputError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "worker.py").write_text(WORKER)
    program = (sys.executable, str(tmp_path / "worker.py"))
    monkeypatch.setattr(launch, "LocalBackend", lambda: LocalBackend(program))
    monkeypatch.setattr(launch, "TICK_SECONDS", 0.02)
    made = tmp_path / "runs"
    made.mkdir()
    (made / "plan.json").write_text("{}")
    return made


def start(folder: Path, acts: object = None, jobs: int = 2, **options: object) -> int:
    (folder / "plan.json").write_text(json.dumps(acts or {}))
    return launch.run_comparison(experiment(), folder, jobs=jobs, options=LaunchOptions(**options))


def entry(folder: Path, run: str) -> ledger.Entry:
    return ledger.read(folder)[run]


def attempts(folder: Path, run: str) -> int:
    return int((folder / run / "attempts").read_text())


def test_all_runs_are_done_once_and_the_files_of_the_end_are_there(folder, capsys):
    assert start(folder) == 0
    assert {
        run: (entry(folder, run).status, attempts(folder, run)) for run in RUNS
    } == dict.fromkeys(RUNS, ("done", 1))
    assert "All 4 runs are done." in capsys.readouterr().out
    for name in ("results.csv", "results.md", "learning_curves.png"):
        assert (folder / name).stat().st_size > 0
    assert "ppo,Pong,cnn,1.0,0.0,2,2," in (folder / "results.csv").read_text()


def test_called_again_it_does_only_what_is_missing(folder):
    assert start(folder) == 0
    (folder / RUNS[2] / "run.json").unlink()
    (folder / RUNS[2] / "checkpoint").unlink()
    assert start(folder) == 0
    assert [attempts(folder, run) for run in RUNS] == [1, 1, 2, 1]
    assert entry(folder, RUNS[2]).status == "done"


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        ("kill", "SIGKILL"),
        ("memory", "MemoryError"),
        ("nan", "Diverged"),
        ("vanish", "without its results"),
    ],
)
def test_a_broken_run_is_tried_again_and_then_reported(folder, capsys, act, reason):
    assert start(folder, {RUNS[1]: {"1": act}, RUNS[2]: dict.fromkeys("123", act)}) == 1
    assert (entry(folder, RUNS[1]).status, entry(folder, RUNS[1]).attempts) == ("done", 2)
    failed = entry(folder, RUNS[2])
    assert (failed.status, failed.attempts) == ("failed", 3)
    assert reason in failed.reason
    out = capsys.readouterr().out
    assert "1 of 4 runs are not done" in out
    assert "(1 of 2)" in out
    assert reason in out
    assert [entry(folder, run).status for run in (RUNS[0], RUNS[3])] == ["done", "done"]


def test_a_failed_run_gets_another_chance_when_called_again(folder):
    assert start(folder, {RUNS[0]: {"1": "kill"}}, retries=0) == 1
    assert entry(folder, RUNS[0]).status == "failed"
    assert start(folder) == 0
    assert attempts(folder, RUNS[0]) == 2


def test_a_retry_goes_on_from_the_checkpoint(folder):
    assert start(folder, {RUNS[0]: {"1": "kill"}}) == 0
    steps = [line.split(",")[0] for line in (folder / RUNS[0] / "episodes.csv").open()]
    assert steps[1:] == ["60", "70", "80", "90", "100"]  # the second attempt began at 50


@pytest.mark.parametrize("act", ["hang", "stop"])
def test_a_hanging_run_is_killed_and_tried_again(folder, act):
    began = time.monotonic()
    assert start(folder, {RUNS[0]: {"1": act}}, hang_minutes=0.5 / 60) == 0
    assert time.monotonic() - began < 20
    assert entry(folder, RUNS[0]).attempts == 2


def test_bad_input_is_not_tried_again(folder):
    assert start(folder, {RUNS[0]: {"1": "input"}}) == 1
    assert (entry(folder, RUNS[0]).status, entry(folder, RUNS[0]).attempts) == ("failed", 1)


def test_a_full_disk_stops_the_experiment_and_it_goes_on_later(folder, capsys):
    assert start(folder, {RUNS[0]: {"1": "full"}}, jobs=1) == 1
    assert "No space left on device" in capsys.readouterr().out
    assert [entry(folder, run).status for run in RUNS] == ["waiting"] * 4
    assert attempts(folder, RUNS[0]) == 1
    assert not (folder / RUNS[1]).exists()
    assert start(folder) == 0


def test_a_changed_experiment_is_refused_with_what_changed(folder):
    start(folder)
    before = (folder / "experiment.yaml").read_bytes()
    with pytest.raises(InputError, match=r"steps was 100 and is now 200"):
        launch.run_comparison(experiment(steps=200), folder, jobs=1, options=LaunchOptions())
    assert (folder / "experiment.yaml").read_bytes() == before
    again = experiment(description="Other words.")
    assert launch.run_comparison(again, folder, jobs=1, options=LaunchOptions()) == 0


def test_a_run_folder_with_other_settings_is_left_alone_and_named(folder, capsys):
    run = folder / RUNS[0]
    run.mkdir(parents=True)
    other = plan.expand(experiment(steps=999))[0]
    text = plan.to_yaml(other)
    (run / "config.yaml").write_text(text)
    assert start(folder) == 1
    assert "other settings" in capsys.readouterr().out
    assert (run / "config.yaml").read_text() == text


@pytest.mark.parametrize(
    "options",
    [{"retries": -1}, {"hang_minutes": 0.0}, {"hang_minutes": float("nan")}, {"address": "x:1"}],
)
def test_options_that_make_no_sense_are_refused(folder, options):
    with pytest.raises(InputError, match=next(iter(options))):
        start(folder, **options)
    with pytest.raises(InputError, match="jobs is 0"):
        start(folder, jobs=0)
    assert not (folder / "experiment.yaml").exists()


def launcher(folder: Path) -> subprocess.Popen[str]:
    """Start a launcher in a process of its own, and wait until two slow runs go on."""
    (folder / "plan.json").write_text(json.dumps({"pace": 0.5}))
    arguments = [str(folder), str(folder.parent / "worker.py"), str(HERE)]
    process = subprocess.Popen(
        [sys.executable, "-c", LAUNCHER, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    wait_for(lambda: all((folder / run / "run.json").is_file() for run in RUNS[:2]))
    return process


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_saves_every_run_within_seconds(folder, number):
    process = launcher(folder)
    began = time.monotonic()
    process.send_signal(number)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert time.monotonic() - began < 10
    assert "To go on" in out
    for run in RUNS[:2]:
        assert int((folder / run / "checkpoint").read_text()) > 0
        assert entry(folder, run).status == "waiting"
        assert "stopped at step" in entry(folder, run).reason
        assert not alive(entry(folder, run).pid)
    assert start(folder) == 0
    assert [attempts(folder, run) for run in RUNS] == [2, 2, 1, 1]


def test_a_killed_launcher_leaves_no_lock_and_no_worker(folder):
    process = launcher(folder)
    pids = [entry(folder, run).pid for run in RUNS[:2]]
    process.kill()
    process.communicate(timeout=30)
    assert [entry(folder, run).status for run in RUNS[:2]] == ["running", "running"]
    with ledger.Ledger(folder, RUNS) as held:
        assert held.lost == tuple(RUNS[:2])
        assert entry(folder, RUNS[0]).status == "lost"
    assert start(folder) == 0  # waits for the workers of the dead launcher, then goes on
    assert not any(map(alive, pids))
    assert [entry(folder, run).status for run in RUNS] == ["done"] * 4
    assert [attempts(folder, run) for run in RUNS] == [2, 2, 1, 1]


def test_a_second_launcher_is_refused_with_the_name_of_the_first(folder):
    process = launcher(folder)
    with pytest.raises(InputError, match=rf"in use by the launcher process {process.pid} on"):
        start(folder)
    running = [run.status for run in load_experiment(folder).runs]  # readable meanwhile
    assert running[:2] == ["running", "running"]
    process.terminate()
    process.communicate(timeout=30)


def test_the_real_worker_end_to_end(tmp_path, capsys):
    hyperparameters = {"n_envs": 2, "n_steps": 32, "batch_size": 32, "n_epochs": 1}
    small = experiment(
        arms=("coordconv",),
        seeds=(0,),
        games=("Breakout",),
        steps=640,
        overrides={"ppo": hyperparameters},
        evaluation=Evaluation(episodes=1, greedy=False),
    )
    folder = tmp_path / "runs"
    assert launch.run_comparison(small, folder, jobs=1, options=LaunchOptions(retries=0)) == 0
    (run,) = load_experiment(folder).runs
    assert (run.status, run.step, run.attempts) == ("done", 640, 1)
    assert run.evaluation is not None
    assert len(run.evaluation["stochastic"]["scores"]) == 1
    assert "All 1 runs are done." in capsys.readouterr().out
