"""A disk that is really full: a small tmpfs, filled to its last byte while runs go on."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from small_study import STUDY_SCRIPT

from coordconv_rl.agents.train import train_agent
from coordconv_rl.agents.training.checkpoint import list_checkpoints, load_checkpoint
from coordconv_rl.comparison import plan
from coordconv_rl.comparison.entries import read_ledger
from coordconv_rl.configs.load import to_yaml
from coordconv_rl.configs.schema import Evaluation, ExperimentConfig
from coordconv_rl.runs import prepare_run

MIB = 2**20
ROOM = 400  # MiB: two runs with four checkpoints of 21 MB each, and the report
SETTINGS = {"n_envs": 2, "n_steps": 16, "batch_size": 16, "n_epochs": 2}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own."""
    where = tmp_path / "disk"
    where.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}m", "tmpfs", str(where)]
    allowed = shutil.which("mount") and not subprocess.run(
        command, capture_output=True, check=False
    ).returncode  # fmt: skip
    if not allowed:
        pytest.skip("mounting a tmpfs is not allowed here")
    yield where
    subprocess.run(["umount", "-l", str(where)], check=True)


def fill(disk: Path) -> Path:
    """Take every byte that is left, then what is given back a moment later."""
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as file:
        for size in (MIB, 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(size))
    return filler


def run_until_full(command: list[object], disk: Path, run: Path) -> tuple[int, str]:
    """Start a command, fill the disk once a run has a checkpoint, and return how it ended."""
    program = ["-m", "coordconv_rl", *map(str, command)]
    return until_full(program, disk, lambda: bool(list_checkpoints(run)))


def until_full(program: list[str], disk: Path, is_ready: Callable[[], bool]) -> tuple[int, str]:
    """Start a Python program, fill the disk once it is ready, and return how it ended."""
    process = subprocess.Popen(
        [sys.executable, *program],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + 90
    while not is_ready():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    while process.poll() is None and time.monotonic() < deadline:
        filler = fill(disk)
        time.sleep(0.02)
    said, _ = process.communicate(timeout=30)
    filler.unlink()
    return process.returncode, said


def same(run: Path, whole: Path) -> None:
    left, right = (load_checkpoint(list_checkpoints(folder)[0]) for folder in (run, whole))
    assert left.tensors.keys() == right.tensors.keys()
    for name, tensor in left.tensors.items():
        assert tensor.numpy().tobytes() == right.tensors[name].numpy().tobytes(), name
    assert (run / "episodes.csv").read_bytes() == (whole / "episodes.csv").read_bytes()


def test_a_run_stops_and_goes_on(disk, tmp_path, small_run):
    config = small_run(steps=960)
    run, whole = disk / "run", tmp_path / "whole"
    prepare_run(run, config)
    code, said = run_until_full(["train", "--resume", run], disk, run)
    assert code == 74, said
    assert "No space left on device; make room, then: coordconv-rl train --resume" in said
    assert "Traceback" not in said
    assert json.loads((run / "run.json").read_text())["step"] < 960
    load_checkpoint(list_checkpoints(run)[0])
    assert not list(run.rglob("*.tmp"))
    again = subprocess.run(
        [sys.executable, "-m", "coordconv_rl", "train", "--resume", str(run)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert "passed over" not in again.stderr
    train_agent(dataclasses.replace(config, checkpoint_minutes=60.0), whole)
    same(run, whole)


def test_a_comparison_stops_and_goes_on(disk, tmp_path):
    experiment = ExperimentConfig(
        name="full", description="", algos=("ppo",), arms=("cnn", "coordconv"), games=("Pong",),
        seeds=(1,), steps=960, overrides={"ppo": SETTINGS}, checkpoint_minutes=0.0,
        evaluation=Evaluation(episodes=0),
    )  # fmt: skip
    file, folder = tmp_path / "full.yaml", disk / "runs"
    file.write_text(to_yaml(experiment))
    configs = plan.expand(experiment)
    runs = [folder / config.run_id for config in configs]
    command = ["compare", file, "--folder", folder, "--jobs", 2, "--no-inspect"]
    code, said = run_until_full(command, disk, runs[0])
    assert code == 1, said
    assert said.count("Stopping: ") == 1
    assert "No space left on device" in said
    assert "Traceback" not in said
    assert not any(os.path.exists(f"/proc/{e.pid}") for e in read_ledger(folder).values() if e.pid)
    assert {entry.status for entry in read_ledger(folder).values()} <= {"running", "waiting"}
    load_checkpoint(list_checkpoints(runs[0])[0])
    again = subprocess.run(
        [sys.executable, "-m", "coordconv_rl", *map(str, command)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert again.returncode == 0, again.stdout + again.stderr
    assert {entry.status for entry in read_ledger(folder).values()} == {"done"}
    for config, run in zip(configs, runs, strict=True):
        whole = tmp_path / "whole" / config.arm
        train_agent(dataclasses.replace(config, checkpoint_minutes=60.0), whole)
        same(run, whole)


def test_a_study_stops_with_one_line_and_goes_on(disk, tmp_path):
    script, folder = tmp_path / "study.py", disk / "study"
    script.write_text(STUDY_SCRIPT)
    program = [str(script), "study", "translation", "--seeds", "1", "--split", "quadrant"]
    program += ["--budget", "0.01", "--threads", "2", "--folder", str(folder)]
    code, said = until_full(program, disk, lambda: any(folder.glob("quadrant/*/*/seed-0/*.json")))
    assert code == 74, said
    assert said.count("No space left") == 1, said
    assert f"Stopping: {folder}: No space left on device" in said
    assert "Traceback" not in said
    again = subprocess.run([sys.executable, *program], capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stdout + again.stderr
    assert (folder / "index.html").is_file()
