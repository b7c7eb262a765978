"""What became of every run: one line of JSON for each change, appended to `ledger.jsonl`.

Appending costs the same for ten runs and for ten thousand, and a reader needs no lock: the last
whole line about a run holds. A launcher that starts folds the old lines into one for each run.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Container, Iterable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, get_args

from coordconv_rl import locks
from coordconv_rl.errors import InputError
from coordconv_rl.files import write_text_atomic
from coordconv_rl.runs import LEDGER_FILE, LEDGER_LOCK, now

RunStatus = Literal["waiting", "running", "done", "failed", "lost"]
STATUSES: tuple[str, ...] = get_args(RunStatus)


@dataclass(frozen=True)
class Entry:
    """One run's state.

    Attributes:
        run: The run's id.
        status: waiting; running; done; failed (for good, until the experiment is started again);
            or lost (it ran when its launcher, its process or its machine went away).
        attempts: How often its process was started.
        reason: Why it failed, was lost, or waits again.
        host: The machine that it ran on last.
        pid: Its last process there.
        started: When it was started last, as ISO 8601 in UTC.
        ended: When that ended.
    """

    run: str
    status: RunStatus = "waiting"
    attempts: int = 0
    reason: str | None = None
    host: str | None = None
    pid: int | None = None
    started: str | None = None
    ended: str | None = None


_FIELDS = {field.name for field in fields(Entry)}


def read_ledger(folder: Path) -> dict[str, Entry]:
    """Read the ledger of an experiment's folder, also while its launcher writes it.

    Returns:
        The last entry of every run that has one; nothing for a folder without a ledger.

    Raises:
        InputError: A line is damaged. A last line without its end is one that is being written.
    """
    path = folder / LEDGER_FILE
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    entries = {}
    for number, line in enumerate(lines, start=1):
        entry = _parse(path, number, line)
        entries[entry.run] = entry
    return entries


def _parse(path: Path, number: int, line: bytes) -> Entry:
    """Turn a line into an entry, or say which line is damaged."""
    try:
        values: dict[str, Any] = json.loads(line)
        entry = Entry(**values)
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(
            f"{path} is damaged at line {number}: delete that line, or restore the file"
        ) from error
    texts = (entry.reason, entry.host, entry.started, entry.ended)
    if (
        entry.status not in STATUSES
        or not isinstance(entry.run, str)
        or type(entry.attempts) is not int
        or not all(text is None or isinstance(text, str) for text in texts)
        or not (entry.pid is None or type(entry.pid) is int)
    ):
        raise InputError(
            f"{path} is damaged at line {number} (status {entry.status!r}): "
            "delete that line, or restore the file"
        )
    return entry


def check_planned(folder: Path, entries: Iterable[str], planned: Container[str]) -> None:
    """Raise `InputError` if the ledger is of another experiment, whose lines would be lost."""
    for run in entries:
        if run not in planned:
            raise InputError(
                f"{folder / LEDGER_FILE} is about runs that the experiment does not plan, such as "
                f"{run}: two experiments are mixed; move one of them out"
            )


class Ledger:
    """The ledger, held by the one launcher that may write it; a context manager.

    Attributes:
        entries: Every planned run's entry by the run's id.
        lost: Ids of the runs that ran when an earlier launcher went away.

    Raises:
        InputError: Another launcher holds it (the message names that one), it is damaged, or the
            folder cannot be written.
    """

    def __init__(self, folder: Path, runs: Iterable[str]) -> None:
        self._path = folder / LEDGER_FILE
        owner = f"process {os.getpid()} on {socket.gethostname()} since {now()}"
        try:
            self._lock = locks.acquire(folder / LEDGER_LOCK, owner)
        except locks.LockedError as error:
            raise InputError(
                f"{folder} is in use by the launcher {error}: wait for it, or stop it first"
            ) from error
        except OSError as error:
            raise InputError(f"cannot write to {folder}: {error.strerror}") from error
        try:
            known = read_ledger(folder)
            self.entries = {run: known.get(run, Entry(run)) for run in runs}
            check_planned(folder, known, self.entries)
            self.lost = self._mark_lost()
            self._write_all()
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        except OSError as error:
            os.close(self._lock)
            raise InputError(f"cannot write to {folder}: {error.strerror}") from error
        except BaseException:
            os.close(self._lock)
            raise

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._file)
        os.close(self._lock)

    def update(self, run: str, **changes: Any) -> Entry:
        """Change a run's entry, on the disk first.

        Raises:
            OSError: The disk is full or gone; the file is as it was before.
        """
        entry = replace(self.entries[run], **changes)
        line = _line(entry).encode()
        size = os.fstat(self._file).st_size
        try:
            if os.write(self._file, line) < len(line):
                raise OSError(28, "No space left on device", str(self._path))
            os.fsync(self._file)
        except OSError:
            os.ftruncate(self._file, size)
            raise
        self.entries[run] = entry
        return entry

    def _mark_lost(self) -> tuple[str, ...]:
        lost = tuple(run for run, entry in self.entries.items() if entry.status == "running")
        for run in lost:
            reason = "its launcher went away"
            self.entries[run] = replace(
                self.entries[run], status="lost", reason=reason, ended=now()
            )
        return lost

    def _write_all(self) -> None:
        write_text_atomic(self._path, "".join(map(_line, self.entries.values())))


def _line(entry: Entry) -> str:
    return json.dumps(asdict(entry)) + "\n"
