"""A run's folder before its process starts, and what its end means."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

from coordconv_rl.configs import RunConfig, load_run, to_yaml
from coordconv_rl.errors import InputError
from coordconv_rl.files import write_text_atomic
from coordconv_rl.runs.reading import read_json

CONFIG_FILE = "config.yaml"
INTERRUPTED = 130  # exit code of a worker that was asked to stop and saved its checkpoint
DISK_FULL = 74  # exit code of a worker that found no room (EX_IOERR of sysexits.h)
MACHINE_LOST = 1000  # no exit code of a process: nobody is there to say one
NO_ROOM = "No space left on device"
LOG_HINT = "see its log.txt"


def prepare_run(folder: Path, config: RunConfig) -> None:
    """Make a run's folder with its config.yaml, or check that the one there is the same.

    Raises:
        InputError: The folder was made with other settings.
        OSError: It cannot be written.
    """
    path = folder / CONFIG_FILE
    text = to_yaml(config)
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        write_text_atomic(path, text)
    elif path.read_bytes() != text.encode() and load_run(path) != config:
        raise InputError(f"{path} has other settings than the experiment: move its folder away")


def read_record(folder: Path) -> dict[str, Any] | None:
    """Read a run's `run.json`; None where it is missing or damaged, which its end will show."""
    try:
        return read_json(folder / "run.json", ("run", "status", "step", "steps"))
    except InputError:
        return None


def finished(folder: Path, config: RunConfig) -> bool:
    """Tell whether a run is complete: trained, and evaluated where that is asked for."""
    path = folder / config.run_id
    record = read_record(path)
    trained = (record or {}).get("status") == "done" and (record or {})["run"] == config.run_id
    return trained and (not config.evaluation.episodes or (path / "evaluation.json").is_file())


def describe_exit(code: int, record: dict[str, Any] | None) -> str:
    """Say why a process ended, from its exit code and the record that it left."""
    if code < 0:
        known = {int(number): number.name for number in signal.Signals}
        name = known.get(-code, f"signal {-code}")
        return f"killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
    if code == MACHINE_LOST:
        return "its machine went away"
    if code == DISK_FULL:
        return NO_ROOM
    if code == INTERRUPTED:
        return "stopped by a signal from outside"
    reason = (record or {}).get("reason")
    if code == 0:
        return f"ended without its results ({LOG_HINT})"
    return str(reason) if reason else f"exit code {code} ({LOG_HINT})"
