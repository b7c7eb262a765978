"""What a person sees: the live table in a real terminal, plain lines without one."""

from __future__ import annotations

import io
import json
import os
import pty
import select
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import SimpleNamespace

import forked
import pytest
from light_worker import RUNS, launch_here
from rich.console import Console
from waiting import LIMIT, wait_for

from coordconv_rl.comparison.launch.scheduler import Active
from coordconv_rl.comparison.launch.terminal import live_table
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


@pytest.fixture
def run_launcher(folder, monkeypatch) -> Callable[[Path | str], BaseProcess]:
    """Start a launcher that writes to a file or a terminal."""
    (folder / "plan.json").write_text(json.dumps({"pace": 0.1}))
    for name, value in (("TERM", "xterm"), ("COLUMNS", "140"), ("LINES", "40")):
        monkeypatch.setenv(name, value)
    return lambda said: forked.call(launch_here, folder, folder=folder, said=(said, said))


def read_terminal(descriptor: int) -> str:
    text = b""
    try:
        while data := os.read(descriptor, 65536):
            text += data
    except OSError:  # how Linux says that the other side has closed
        pass
    return text.decode()


def test_a_terminal_shows_a_live_table(run_launcher):
    ours, theirs = pty.openpty()
    process = run_launcher(os.ttyname(theirs))
    wait_for(lambda: select.select([ours], [], [], 0)[0], while_alive=process.is_alive)
    os.close(theirs)
    shown = read_terminal(ours)
    os.close(ours)
    process.join(LIMIT)
    assert process.exitcode == 0
    for part in ("steps/s", "progress", "left", RUNS[0], "2 running", "All 4 runs are done."):
        assert part in shown
    assert "\x1b[" in shown


def test_without_a_terminal_there_are_plain_lines(run_launcher, folder, tmp_path):
    run_launcher(tmp_path / "said").join(LIMIT)
    shown = (tmp_path / "said").read_text()
    assert "\x1b" not in shown
    lines = shown.splitlines()
    assert lines[0].startswith(f"{folder}: 4 of 4 runs to do: 400 steps, 2 at a time")
    for run in RUNS:
        assert f"running {run}" in lines
        assert f"done    {run}" in lines
    assert lines.index(f"running {RUNS[2]}") > 2  # two at a time


@pytest.mark.parametrize(
    ("width", "columns"),
    [(120, ["run", "progress", "step", "steps/s", "score", "left"]),
     (80, ["run", "progress", "score", "left"]), (60, ["run", "progress", "score", "left"])],
)  # fmt: skip
def test_the_live_table_fits_the_terminal(small_run, width, columns):
    """One row a run; what has no room is left out, and never the bar or the time left."""
    configs = [
        small_run(game="MontezumaRevenge", arm="coordconv-actor", steps=10_000_000, seed=seed)
        for seed in (3, 14)
    ]
    record = {"step": 1_234_567, "steps_per_second": 456.0, "recent_score": 1234.5}
    scheduler = SimpleNamespace(
        active={c.run_id: Active(c, worker=None, record=record) for c in configs},
        queue=[],
        ledger=SimpleNamespace(entries={}),
    )
    console = Console(width=width, file=io.StringIO(), color_system=None)
    console.print(live_table(scheduler, width))
    head, *rows = console.file.getvalue().splitlines()[:3]
    assert head.split() == columns
    for row, seed in zip(rows, (3, 14), strict=True):
        assert row.rstrip().endswith("5:20:22")
        assert {"━", "╸"} & {*row}
        assert f"actor/seed-{seed} " in row
        assert len(row.rstrip()) <= width
    assert rows[0].startswith("ppo/Montezuma") == (width > 60)
