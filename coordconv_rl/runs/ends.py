"""What the end of a run's process means, said for a person."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

from coordconv_rl.errors import BAD_INPUT, DISK_FULL, FAILED, INTERRUPTED, MACHINE_LOST, OK
from coordconv_rl.files import read_regular
from coordconv_rl.runs.layout import LOG_FILE

ERROR = "error: "  # how the command line begins the line about bad input or an exception


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
    if code in (BAD_INPUT, FAILED) and folder is not None and (line := last_error(folder)):
        return line  # the record may be an earlier attempt's
    reason = (record or {}).get("reason")
    return said.get(code) or str(reason or f"exit code {code} (see its {LOG_FILE})")


def last_error(folder: Path) -> str | None:
    """Return what the last line of a run's log that is about an error says of it.

    Every process that ends with the exit code of a failure writes one; what Python says of
    destructors may come after it.
    """
    try:
        lines = read_regular(folder / LOG_FILE).decode(errors="replace").splitlines()
    except OSError:
        return None
    errors = [line.removeprefix(ERROR) for line in lines if line.startswith(ERROR)]
    return errors[-1] if errors else None
