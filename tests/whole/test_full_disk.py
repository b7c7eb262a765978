"""A disk that is really full: a small tmpfs, filled to its last byte while runs go on."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import forked
import pytest
from small_study import STUDY_SCRIPT
from waiting import LIMIT, wait_for

from coordconv_rl.agents.train import train_agent
from coordconv_rl.agents.training.checkpoint import list_checkpoints, load_checkpoint
from coordconv_rl.comparison import plan
from coordconv_rl.comparison.entries import read_ledger
from coordconv_rl.configs.load import to_yaml
from coordconv_rl.configs.schema import Evaluation, ExperimentConfig
from coordconv_rl.runs import prepare_run

MIB = 2**20
ROOM = 240  # MiB: a run with four checkpoints of 21 MB each, and the report
BALLAST = 120  # MiB: what is not needed before the disk is full
STEPS = 256
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


@pytest.fixture(scope="module")
def whole(small_run, tmp_path_factory) -> Path:
    """The same run where nothing stops it."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    train_agent(small_run(steps=STEPS, checkpoint_minutes=60.0), folder)
    return folder


def fill(disk: Path) -> None:
    """Take every byte that is left, then what is given back a moment later."""
    with (disk / "filler").open("ab", buffering=0) as file:
        for size in (MIB, 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(size))


@contextlib.contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Stop a process meanwhile, so that it does not outrun who fills its disk."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def fill_once_ready(
    disk: Path, is_ready: Callable[[], bool], is_alive: Callable[[], bool], pid: Callable[[], int]
) -> None:
    """Fill the disk once a process is ready, until it has ended; then empty it again.

    Args:
        disk: The disk.
        is_ready: Whether it is time.
        is_alive: Whether the command still runs.
        pid: Names the process that writes.
    """
    with (disk / "ballast").open("wb") as file:  # so that little is left to fill in time
        os.posix_fallocate(file.fileno(), 0, BALLAST * MIB)
    wait_for(is_ready, while_alive=is_alive)
    with stopped(pid()):
        fill(disk)
    wait_for(lambda: fill(disk) or not is_alive())
    (disk / "filler").unlink()
    (disk / "ballast").unlink()


def run_until_full(
    command: list[object], disk: Path, run: Path, folder: Path
) -> tuple[int | None, str]:
    """Start a command, fill the disk once a run has a checkpoint, and return how it ended."""

    def trainer() -> int:
        entries = read_ledger(disk / "runs").values() if (disk / "runs").is_dir() else ()
        return next((entry.pid for entry in entries if entry.pid), process.pid)

    files = folder / "stdout", folder / "stderr"
    process = forked.start(*command, folder=folder, said=files)
    fill_once_ready(disk, lambda: bool(list_checkpoints(run)), process.is_alive, trainer)
    process.join(LIMIT)
    return process.exitcode, "".join(path.read_text() for path in files)


def same(run: Path, whole: Path) -> None:
    left, right = (load_checkpoint(list_checkpoints(folder)[0]) for folder in (run, whole))
    assert left.tensors.keys() == right.tensors.keys()
    for name, tensor in left.tensors.items():
        assert tensor.numpy().tobytes() == right.tensors[name].numpy().tobytes(), name
    assert (run / "episodes.csv").read_bytes() == (whole / "episodes.csv").read_bytes()


def test_a_run_stops_and_goes_on(cli, disk, tmp_path, small_run, whole):
    config = small_run(steps=STEPS)
    run = disk / "run"
    prepare_run(run, config)
    code, said = run_until_full(["train", "--resume", run], disk, run, tmp_path)
    assert code == 74, said
    assert "No space left on device; make room, then: coordconv-rl train --resume" in said
    assert "Traceback" not in said
    assert json.loads((run / "run.json").read_text())["step"] < STEPS
    load_checkpoint(list_checkpoints(run)[0])
    assert not list(run.rglob("*.tmp"))
    again = cli("train", "--resume", run)
    assert again.returncode == 0, again.stderr
    assert "passed over" not in again.stderr
    same(run, whole)


def test_a_comparison_stops_and_goes_on(cli, disk, tmp_path, whole):
    """One run; that several stop with one line is the scheduler's, in `test_scheduler.py`.

    An earlier start that was killed told its speed, which is else measured first.
    """
    experiment = ExperimentConfig(
        name="full", description="", algos=("ppo",), arms=("coordconv",), games=("Breakout",),
        seeds=(1,), steps=STEPS, overrides={"ppo": SETTINGS}, checkpoint_minutes=0.0,
        evaluation=Evaluation(episodes=0),
    )  # fmt: skip
    file, folder = tmp_path / "full.yaml", disk / "runs"
    file.write_text(to_yaml(experiment))
    (config,) = plan.expand(experiment)
    run = folder / config.run_id
    prepare_run(run, config)
    record = json.loads((whole / "run.json").read_text()) | {"step": 0, "status": "running"}
    for name in ("sha256", "files"):  # it was killed before its first checkpoint
        del record[name]
    (run / "run.json").write_text(json.dumps(record))
    command = ["compare", file, "--folder", folder, "--no-inspect"]
    code, said = run_until_full(command, disk, run, tmp_path)
    assert code == 1, said
    assert said.count("Stopping: ") == 1
    assert "No space left on device" in said
    assert "Traceback" not in said
    (entry,) = read_ledger(folder).values()
    assert not (entry.pid and os.path.exists(f"/proc/{entry.pid}"))
    assert entry.status in ("running", "waiting")
    load_checkpoint(list_checkpoints(run)[0])
    again = cli(*command)
    assert again.returncode == 0, again.stdout + again.stderr
    assert [entry.status for entry in read_ledger(folder).values()] == ["done"]
    same(run, whole)


def test_a_study_stops_with_one_line_and_goes_on(disk, tmp_path):
    script, folder = tmp_path / "study.py", disk / "study"
    script.write_text(STUDY_SCRIPT)
    program = [sys.executable, str(script), "study", "translation", "--seeds", "1"]
    program += ["--split", "quadrant", "--budget", "0.01", "--folder", str(folder), "--threads"]
    process = subprocess.Popen(
        [*program, "2"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    fill_once_ready(
        disk,
        lambda: any(folder.glob("quadrant/*/*/seed-0/*.json")),
        lambda: process.poll() is None,
        lambda: process.pid,
    )
    said, _ = process.communicate(timeout=LIMIT)
    assert process.returncode == 74, said
    assert said.count("No space left") == 1, said
    assert f"Stopping: {folder}: No space left on device" in said
    assert "Traceback" not in said
    again = subprocess.run([*program, "1"], capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stdout + again.stderr
    assert (folder / "index.html").is_file()
