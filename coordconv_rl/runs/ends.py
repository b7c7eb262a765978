"""What the end of a run's process means, said for a person."""

from __future__ import annotations

import signal
from itertools import takewhile
from pathlib import Path
from typing import Any

from coordconv_rl.errors import BAD_INPUT, DISK_FULL, INTERRUPTED, MACHINE_LOST, OK
from coordconv_rl.files import read_regular
from coordconv_rl.runs.layout import LOG_FILE

TRACEBACK = "Traceback (most recent call last):"
ERROR = "error: "  # how the command line begins the line about bad input


def describe_exit(
    code: int, record: dict[str, Any] | None = None, folder: Path | None = None
) -> str:
    """Say for a person why a process ended.

    Args:
        code: Its exit code, or minus the number of the signal that killed it.
        record: What it left in `run.json`.
        folder: The run's folder, whose log says what bad input or an exception was.
    """
    if code < 0:
        known = {int(number): number.name for number in signal.Signals}
        name = known.get(-code, f"signal {-code}")
        return f"killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
    said = {
        MACHINE_LOST: "its machine went away",
        DISK_FULL: "No space left on device",
        INTERRUPTED: "stopped by a signal from outside",
        OK: f"ended without its results (see its {LOG_FILE})",
    }
    line = last_error(folder) if folder is not None else None
    if code == BAD_INPUT and line:
        return line
    reason = (record or {}).get("reason") or line
    return said.get(code) or str(reason or f"exit code {code} (see its {LOG_FILE})")


def last_error(folder: Path) -> str | None:
    """Return what a run's log ends with: a line about bad input, or a traceback's exception."""
    try:
        lines = read_regular(folder / LOG_FILE).decode(errors="replace").splitlines()
    except OSError:
        return None
    if lines and lines[-1].startswith(ERROR):
        return lines[-1].removeprefix(ERROR)
    after = list(takewhile(lambda line: line != TRACEBACK, reversed(lines)))
    if len(after) == len(lines):
        return None
    return next((line for line in reversed(after) if not line.startswith(" ")), None)
