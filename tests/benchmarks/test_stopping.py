"""A benchmark that is stopped leaves nothing behind, whenever the signal comes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from waiting import LIMIT, wait_for

ROOT = Path(__file__).resolve().parents[2]
if not (ROOT / "benchmarks").is_dir():
    pytest.skip("not a checkout", allow_module_level=True)
if not Path("/proc/self/environ").is_file():
    pytest.skip("reads /proc", allow_module_level=True)

SUBPROC = ("--parts", "a", "--only", "Pong, 8 environments, processes", "--games", "Pong")
COMMANDS = ("--parts", "c", "--games", "Pong")


def processes(folder: Path) -> list[int]:
    """Return the processes that keep their temporary files in the folder."""
    wanted = f"TMPDIR={folder}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if wanted in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
        except OSError:  # it ended, or is another user's
            continue
    return found


BOTH = """
import os, signal
from benchmarks.stopping import SIGNALS, Stopped, stop_on_signals
stop_on_signals()
signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
for each in SIGNALS:
    os.kill(os.getpid(), each)
try:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
except Stopped as stopped:
    print(stopped.code)
"""


def test_two_signals_at_once_are_one_end():
    done = subprocess.run(
        [sys.executable, "-c", BOTH], check=False, cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "130\n", "")


@pytest.mark.parametrize(
    ("options", "number", "started"),
    [
        (SUBPROC, signal.SIGTERM, 2),  # a contestant begins
        (SUBPROC, signal.SIGINT, 4),  # its own processes live
        (COMMANDS, signal.SIGTERM, 3),  # two training commands
    ],
)
def test_nothing_is_left(
    tmp_path: Path, options: tuple[str, ...], number: signal.Signals, started: int
) -> None:
    words = [*options, "--cores", "1", "--rounds", "50", "--seconds", "5"]
    driver = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.throughput", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"},
    )
    wait_for(lambda: len(processes(tmp_path)) >= started, while_alive=lambda: driver.poll() is None)
    driver.send_signal(number)
    time.sleep(0.1)
    driver.send_signal(signal.SIGINT)  # an impatient user
    out, errors = driver.communicate(timeout=LIMIT)
    # Python handles signals that wait for it in the order of their numbers, not of their coming.
    assert driver.returncode in (128 + number, 128 + signal.SIGINT), errors
    assert "Traceback" not in errors
    if started > 2:
        assert "about" in out  # how long the contest would have taken
    assert processes(tmp_path) == []
    assert list(tmp_path.glob("benchmark-*")) == []
