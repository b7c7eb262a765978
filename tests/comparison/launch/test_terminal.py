"""What a person sees: the live table in a real terminal, plain lines without one, the status."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

from folders import experiment, finish, write_run
from light_worker import HERE, LAUNCHER, RUNS, WORKER
from rich.console import Console

from coordconv_rl.comparison import plan
from coordconv_rl.comparison.launch import closing, ledger
from coordconv_rl.comparison.launch.terminal import duration, status_tables


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
    assert lines[0] == f"{tmp_path / 'runs'}: 4 of 4 runs to do"
    for run in RUNS:
        assert f"running {run}" in lines
        assert f"done    {run}" in lines
    assert lines.index(f"running {RUNS[2]}") > 2  # two at a time


def test_the_status_counts_every_run_and_names_what_went_wrong(tmp_path, capsys):
    config = experiment()
    finish(tmp_path, config)
    runs = [plan.run_id(*key) for key in plan.run_keys(config)]
    with ledger.Ledger(tmp_path, runs) as held:
        held.update(runs[0], status="waiting", attempts=0)
        assert ledger.print_status(tmp_path) == 0
        held.update(runs[1], status="failed", attempts=3, reason="killed by SIGKILL")
    assert ledger.print_status(tmp_path) == 1
    shown = capsys.readouterr().out
    assert "16 runs" in shown
    assert "SIGKILL" in shown
    console = Console(width=200, file=io.StringIO())
    console.print(*status_tables(ledger.status_entries(tmp_path), most=3))
    few = console.file.getvalue()
    assert runs[1] in few
    assert runs[2] not in few  # it is done, and only three have room


def test_runs_that_are_not_done_are_counted_and_named_up_to_a_limit(tmp_path):
    plan.claim_folder(tmp_path, experiment(seeds=tuple(range(20))))
    write_run(tmp_path, "ppo/Pong/cnn/seed-0", score=1.0)
    console = Console(width=200, file=io.StringIO())
    assert closing.close(tmp_path, console) == 1
    shown = console.file.getvalue()
    assert "160 of 160 runs are not done" in shown
    assert "and 110 more" in shown
