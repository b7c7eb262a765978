"""A run's folder before its process starts, and what its end means."""

from __future__ import annotations

import os
import signal
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

from coordconv_rl import locks
from coordconv_rl.configs import RunConfig, check_run, load_run, to_yaml
from coordconv_rl.errors import DISK_FULL, INTERRUPTED, MACHINE_LOST, OK, InputError
from coordconv_rl.files import write_text_atomic
from coordconv_rl.runs.layout import (
    CONFIG_FILE,
    EVALUATION_FILE,
    INSPECTION_FIGURE,
    INSPECTION_FILE,
    LOG_FILE,
    RUN_LOCK,
)
from coordconv_rl.runs.record import read_record

OF_THE_END = (EVALUATION_FILE, INSPECTION_FILE, INSPECTION_FIGURE)


def prepare_run(folder: Path, config: RunConfig) -> None:
    """Make a run's folder with its config.yaml, or check that the one there is the same.

    Raises:
        InputError: The configuration makes no sense, or the folder holds another run.
        OSError: It cannot be written.
    """
    check_run(config)
    path = folder / CONFIG_FILE
    text = to_yaml(config)
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        write_text_atomic(path, text)
    elif path.read_bytes() != text.encode() and load_run(path) != config:
        raise InputError(
            f"{folder} holds a run with other settings: go on with coordconv-rl train --resume "
            f"{folder}, or move it away"
        )


def longer_run(made: RunConfig, steps: int) -> RunConfig:
    """Return a run with more steps than it was made for, of which it is the exact beginning.

    Args:
        made: The run as it is.
        steps: Environment steps that it shall train for.

    Raises:
        InputError: There are fewer steps than before, or the learning rate depends on their number.
    """
    if steps < made.steps:
        raise InputError(
            f"steps was {made.steps} and is now {steps}: give more, or choose another --folder"
        )
    if steps > made.steps and made.hyperparameters.schedule != "constant":
        raise InputError(
            f"steps was {made.steps} and is now {steps}, but {made.algo}'s learning rate falls "
            f"linearly to zero at the last step: what was trained is not how {steps} steps begin; "
            "choose another --folder for these"
        )
    return replace(made, steps=steps)


def lengthen_run(folder: Path, config: RunConfig) -> None:
    """Let a run that exists train on to more steps; what it scored so far stays beside it.

    It ends where a run of so many steps ends; `longer_run` says for which runs this is so. An
    evaluation or an inspection of the shorter training gets its steps into its name, as in
    `evaluation-at-1000.json`, before the configuration changes, so that it never passes for one of
    the longer training.

    Args:
        folder: The run's folder.
        config: The run with its new number of steps.

    Raises:
        InputError: The run's configuration cannot be read, or a process works on the run.
        OSError: The folder cannot be written.
    """
    path = folder / CONFIG_FILE
    steps = load_run(path).steps
    try:
        lock = locks.acquire(folder / RUN_LOCK, f"process {os.getpid()} on {socket.gethostname()}")
    except locks.LockedError as error:
        raise InputError(f"{folder} is in use by {error}: wait for it, or stop it first") from error
    try:
        for name in OF_THE_END:
            result = folder / name
            if result.is_file():
                result.replace(result.with_name(f"{result.stem}-at-{steps}{result.suffix}"))
        write_text_atomic(path, to_yaml(config))
    finally:
        os.close(lock)


def is_finished(folder: Path, config: RunConfig) -> bool:
    """Return whether a run is complete: trained, and evaluated where that is asked for.

    Args:
        folder: The experiment's folder.
        config: The run.
    """
    path = folder / config.run_id
    record = read_record(path) or {}
    if (record.get("status"), record.get("run")) != ("done", config.run_id):
        return False
    if record.get("steps") != config.steps:  # it was lengthened, and trains on
        return False
    return not config.evaluation.episodes or (path / EVALUATION_FILE).is_file()


def describe_exit(code: int, record: dict[str, Any] | None = None) -> str:
    """Say for a person why a process ended, from its exit code and the record that it left."""
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
    reason = (record or {}).get("reason")
    return said.get(code) or str(reason or f"exit code {code} (see its {LOG_FILE})")
