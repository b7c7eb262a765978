"""What became of every run: one line of JSON for each change, appended to the ledger's file.

Appending costs the same for ten runs and for ten thousand. A launcher that starts folds the old
lines into one for each run.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from coordconv_rl import locks
from coordconv_rl.comparison.entries import (
    Entry,
    RunRequest,
    check_planned,
    line,
    read_lines,
)
from coordconv_rl.errors import InputError
from coordconv_rl.files import clear_temporaries, open_regular, write_text_atomic
from coordconv_rl.runs import LEDGER_FILE, LEDGER_LOCK, now


class Ledger:
    """The ledger, held by the one launcher that may write it; a context manager.

    Args:
        folder: The experiment's folder.
        runs: The planned runs, to be taken up at once; None to call `take_up` later.

    Attributes:
        entries: Every planned run's entry by the run's id.
        requests: Who has asked for which runs.
        lost: Ids of the runs that ran when an earlier launcher went away.

    Raises:
        InputError: Another launcher holds it (the message names that one), it is damaged, or the
            folder cannot be written.
    """

    def __init__(self, folder: Path, runs: Iterable[str] | None = None) -> None:
        """Lock the folder and read its ledger."""
        self._folder = folder
        self._path = folder / LEDGER_FILE
        self._file: int | None = None
        owner = f"process {os.getpid()} on {socket.gethostname()} since {now()}"
        try:
            self._lock = locks.acquire(folder / LEDGER_LOCK, owner)
        except locks.LockedError as error:
            raise InputError(
                f"{folder} is in use by the launcher {error}: wait for it, or stop it first"
            ) from error
        except OSError as error:
            raise InputError(f"cannot write to {folder}: {error.strerror}") from error
        self.entries: dict[str, Entry] = {}
        self._others: dict[str, Entry] = {}
        self.lost: tuple[str, ...] = ()
        try:
            self._known, self.requests = read_lines(folder)
            if runs is not None:
                self.take_up(runs, self.requests)
        except BaseException:
            self.close()
            raise

    def take_up(self, runs: Iterable[str], requests: Sequence[RunRequest]) -> None:
        """Begin with the planned runs: those that ran are lost, and old lines are folded.

        Args:
            runs: The planned runs.
            requests: Who has asked for which runs, for the file. Runs that were asked for earlier
                and are not planned now keep their lines.

        Raises:
            InputError: The ledger has runs that nobody asked for, or cannot be written.
        """
        self.entries = {run: self._known.get(run, Entry(run)) for run in runs}
        asked = {run for request in requests for run in request.runs()}
        check_planned(self._folder, self._known, asked | self.entries.keys())
        self._others = {run: entry for run, entry in self._known.items() if run not in self.entries}
        self.requests = tuple(requests)
        self.lost = self._mark_lost()
        try:
            clear_temporaries(self._folder)
            self._write_all()
            self._file = open_regular(self._path, os.O_WRONLY | os.O_APPEND)
        except OSError as error:
            raise InputError(f"cannot write to {self._folder}: {error.strerror}") from error

    def close(self) -> None:
        """Close the file and give the lock back."""
        if self._file is not None:
            os.close(self._file)
        os.close(self._lock)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def update(self, run: str, **changes: Any) -> Entry:
        """Change a run's entry, on the disk first.

        Raises:
            OSError: The disk is full or gone; the file is as it was before.
        """
        if self._file is None:
            raise RuntimeError("take_up comes before update")
        entry = replace(self.entries[run], **changes)
        data = line(entry).encode()
        size = os.fstat(self._file).st_size
        try:
            if os.write(self._file, data) < len(data):
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
        runs = (*self.entries.values(), *self._others.values())
        lines = [*map(line, self.requests), *map(line, runs)]
        write_text_atomic(self._path, "".join(lines))
