"""Processes of a comparison and of a study work in a folder whose modules bear others' names."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest

from coordconv_rl.comparison.launch.local import LocalBackend
from coordconv_rl.runs import CONFIG_FILE, LOG_FILE, RECORD_FILE

HOSTILE = ("json", "queue", "inspect", "pickle", "threading", "numpy", "torch", "coordconv_rl")


@pytest.fixture
def hostile(tmp_path, monkeypatch):
    """Work in such a folder; what is started by then has its own modules."""
    folder = tmp_path / "work"
    folder.mkdir()
    for name in HOSTILE:
        (folder / f"{name}.py").write_text("raise SystemExit('imported from the working folder')\n")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    return folder


def test_a_run_of_a_comparison(hostile, small_run, tmp_path):
    from coordconv_rl.configs import to_yaml

    folder = tmp_path / "ppo" / "Breakout" / "coordconv" / "seed-1"
    folder.mkdir(parents=True)
    config = small_run(steps=32)
    (folder / CONFIG_FILE).write_text(to_yaml(config))
    process = LocalBackend().start(folder, config)
    deadline = time.monotonic() + 120
    while (code := process.poll()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert code == 0, (folder / LOG_FILE).read_text()
    assert json.loads((folder / RECORD_FILE).read_text())["status"] == "done"


STUDY = """
import os, sys
from pathlib import Path
from coordconv_rl.cli import run_command_line

if __name__ == "__main__":
    os.chdir(sys.argv[1])
    words = "study translation --seeds 1 --threads 1 --budget 0.01 --split uniform --folder".split()
    sys.exit(run_command_line([*words, sys.argv[2]]))
"""


def test_the_trainings_of_a_study(hostile, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(STUDY)
    command = [sys.executable, str(script), str(hostile), str(tmp_path / "study")]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)  # one training is enough
        said, errors = process.communicate(timeout=60)
    assert "test accuracy" in first, first + said + errors
    assert "working folder" not in said + errors
