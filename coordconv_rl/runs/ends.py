"""What the end of a run's process means, said for a person."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

from coordconv_rl.errors import BAD_INPUT, DISK_FULL, INTERRUPTED, MACHINE_LOST, OK
from coordconv_rl.files import read_regular
from coordconv_rl.runs.layout import LOG_FILE

ERROR = "error: "  # how the command line begins the line about bad input


def describe_exit(
    code: int, record: dict[str, Any] | None = None, folder: Path | None = None
) -> str:
    """Say for a person why a process ended.

    Args:
        code: Its exit code, or minus the number of the signal that killed it.
        record: What it left in `run.json`.
        folder: The run's folder, whose log says what bad input was.
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
    if code == BAD_INPUT and folder is not None and (line := last_error(folder)):
        return line
    reason = (record or {}).get("reason")
    return said.get(code) or str(reason or f"exit code {code} (see its {LOG_FILE})")


def last_error(folder: Path) -> str | None:
    """Return what the last line of a run's log says about bad input, if it does."""
    try:
        lines = read_regular(folder / LOG_FILE).decode(errors="replace").splitlines()
    except OSError:
        return None
    return lines[-1].removeprefix(ERROR) if lines and lines[-1].startswith(ERROR) else None
