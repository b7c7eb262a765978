"""A run's folder before its process starts: made or recognised, looked at, held."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from coordconv_rl import locks
from coordconv_rl.configs import RunConfig, check_run, load_run, to_yaml
from coordconv_rl.errors import InputError
from coordconv_rl.files import clear_temporaries, refuse_links, write_text_atomic
from coordconv_rl.runs.layout import (
    BEST_FILE,
    CHECKPOINTS_FOLDER,
    CONFIG_FILE,
    EPISODES_FILE,
    EVALUATION_FILE,
    INSPECTION_FIGURE,
    INSPECTION_FILE,
    LOG_FILE,
    PACKED,
    RUN_FILES,
    RUN_FOLDERS,
    RUN_LOCK,
    is_launched,
)
from coordconv_rl.runs.record import forget_sums, read_record
from coordconv_rl.runs.sums import check_whole, read_sums

OF_THE_END = (EVALUATION_FILE, INSPECTION_FILE, INSPECTION_FIGURE)


def prepare_run(folder: Path, config: RunConfig) -> None:
    """Make a run's folder with its config.yaml, or check that the one there is the same.

    The config.yaml of a run that never began, as by an option that was mended since, gives way.

    Raises:
        InputError: The configuration makes no sense, or the folder holds another run.
        OSError: It cannot be written.
    """
    check_run(config)
    path = folder / CONFIG_FILE
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        refuse_links(folder)
        write_text_atomic(path, to_yaml(config))
    elif path.is_file() and not has_begun(folder) and not _is_of(path, config):
        with _held(folder):
            write_text_atomic(path, to_yaml(config))
    check_same(folder, config)


def check_same(folder: Path, config: RunConfig) -> None:
    """Raise `InputError` if a run's folder is one of another run."""
    path = folder / CONFIG_FILE
    if not path.is_file() or not _is_of(path, config):
        raise InputError(
            f"{folder} holds a run with other settings: go on with coordconv-rl train --resume "
            f"{folder}, or move it away"
        )


def _is_of(path: Path, config: RunConfig) -> bool:
    return path.read_bytes() == to_yaml(config).encode() or load_run(path) == config


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
    with _held(folder):
        forget_sums(folder, (CONFIG_FILE, EVALUATION_FILE))
        for name in OF_THE_END:
            result = folder / name
            if result.is_file():
                result.replace(result.with_name(f"{result.stem}-at-{steps}{result.suffix}"))
        write_text_atomic(path, to_yaml(config))


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold a run's lock inside a `with` block.

    Raises:
        InputError: A process works on the run.
    """
    try:
        lock = locks.acquire(folder / RUN_LOCK, f"process {os.getpid()} on {socket.gethostname()}")
    except locks.LockedError as error:
        raise InputError(f"{folder} is in use by {error}: wait for it, or stop it first") from error
    try:
        yield
    finally:
        os.close(lock)


def has_begun(folder: Path) -> bool:
    """Return whether a folder holds more than what its run is to be: a record, games, an agent."""
    names = (*RUN_FILES, EPISODES_FILE + PACKED)
    files = any((folder / name).exists() for name in names if name != CONFIG_FILE)
    return files or any((folder / CHECKPOINTS_FOLDER).glob("*"))


def check_folder(folder: Path) -> None:
    """Look for links that lead out of a run's folder, and for things of the wrong kind in it.

    Raises:
        InputError: There is one; the message says what to do.
    """
    refuse_links(folder)
    checkpoints = folder / CHECKPOINTS_FOLDER
    for path in (folder / name for name in RUN_FOLDERS):
        if path.exists() and not path.is_dir():
            raise InputError(f"{path} is a file, where a folder belongs: move it away")
    files = [folder / name for name in (*RUN_FILES, RUN_LOCK, LOG_FILE)]
    files += [checkpoints / BEST_FILE, *checkpoints.glob("step-*.safetensors")]
    for path in files:
        if path.exists() and not path.is_file():
            raise InputError(f"{path} is no file, as it should be: move it away")


def look_at_run(folder: Path, config: RunConfig) -> dict[str, Any] | None:
    """Look at what earlier attempts left in a run's folder, all but checkpoints; change nothing.

    An evaluation that is gone can be played again, and is not missed here.

    Returns:
        What `run.json` holds, or None before the first attempt.

    Raises:
        InputError: Something is damaged, changed, of another run, or of the wrong kind.
    """
    check_folder(folder)
    record = read_record(folder)
    if record is None:
        return None
    if record["run"] != config.run_id:
        raise InputError(
            f"{folder} holds the record of the run {record['run']}, not of {config.run_id}: two "
            "are mixed; move one out"
        )
    sums = read_sums(folder, record)
    if not (folder / EVALUATION_FILE).exists():
        sums.pop(EVALUATION_FILE, None)
    check_whole(folder, record, sums)
    return record


def is_over(folder: Path, config: RunConfig, record: dict[str, Any] | None) -> bool:
    """Return whether a run is trained, and evaluated where that is asked for.

    Args:
        folder: The run's folder.
        config: The run.
        record: What its `run.json` holds, if it has one.
    """
    if record is None or (record["status"], record["run"]) != ("done", config.run_id):
        return False
    if record["steps"] != config.steps:  # it was lengthened, and trains on
        return False
    return not config.evaluation.episodes or (folder / EVALUATION_FILE).is_file()


def is_finished(folder: Path, config: RunConfig) -> bool:
    """Return whether a run of an experiment is over, and whole.

    Args:
        folder: The experiment's folder.
        config: The run.
    """
    path = folder / config.run_id
    try:
        return is_over(path, config, look_at_run(path, config))
    except InputError:
        return False


@contextmanager
def hold_run(folder: Path) -> Iterator[None]:
    """Keep other processes from training in the folder; a launcher holds it for its workers.

    What a killed process left of half-written files is cleared, since nobody writes there now.

    Raises:
        InputError: Another process works there, or the folder cannot be written.
    """
    lock = None if is_launched() else _lock(folder)
    try:
        clear_temporaries(folder)
        clear_temporaries(folder / CHECKPOINTS_FOLDER)
        yield
    finally:
        if lock is not None:
            os.close(lock)


def _lock(folder: Path) -> int:
    owner = f"process {os.getpid()} on {socket.gethostname()}"
    try:
        return locks.acquire(folder / RUN_LOCK, owner)
    except locks.LockedError as error:
        raise InputError(
            f"{folder} is being trained by {error}: wait for it, or stop it first"
        ) from error
    except OSError as error:
        raise InputError(f"cannot write to {folder}: {error.strerror}") from error
