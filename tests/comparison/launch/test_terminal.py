"""What a person sees: the live table in a real terminal, plain lines without one."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

from light_worker import HERE, LAUNCHER, RUNS, WORKER

from coordconv_rl.runs import duration


def test_durations_are_readable():
    assert [duration(s) for s in (None, 0.4, 59.6, 3599, 3600, 90061)] == [
        "?",
        "0:00",
        "1:00",
        "59:59",
        "1:00:00",
        "25:01:01",
    ]


def run_launcher(tmp_path: Path, output: int | io.IOBase) -> subprocess.Popen[bytes]:
    (tmp_path / "worker.py").write_text(WORKER)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "plan.json").write_text(json.dumps({"pace": 0.1}))
    arguments = [str(tmp_path / "runs"), str(tmp_path / "worker.py"), str(HERE)]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "140", "LINES": "40"}
    return subprocess.Popen(
        [sys.executable, "-c", LAUNCHER, *arguments],
        stdout=output,
        stderr=subprocess.STDOUT,
        env=environment,
    )


def read_terminal(descriptor: int) -> str:
    text = b""
    try:
        while data := os.read(descriptor, 65536):
            text += data
    except OSError:  # how Linux says that the other side has closed
        pass
    return text.decode()


def test_a_terminal_shows_a_live_table(tmp_path):
    ours, theirs = pty.openpty()
    process = run_launcher(tmp_path, theirs)
    os.close(theirs)
    shown = read_terminal(ours)
    os.close(ours)
    assert process.wait() == 0
    for part in ("steps/s", "progress", "left", RUNS[0], "2 running", "All 4 runs are done."):
        assert part in shown
    assert "\x1b[" in shown


def test_without_a_terminal_there_are_plain_lines(tmp_path):
    shown = run_launcher(tmp_path, subprocess.PIPE).communicate()[0].decode()
    assert "\x1b" not in shown
    lines = shown.splitlines()
    assert lines[0].startswith(f"{tmp_path / 'runs'}: 4 of 4 runs to do: 400 steps, 2 at a time")
    for run in RUNS:
        assert f"running {run}" in lines
        assert f"done    {run}" in lines
    assert lines.index(f"running {RUNS[2]}") > 2  # two at a time
