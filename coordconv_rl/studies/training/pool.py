"""Trains many units, some at a time, in processes that stay for the next, one thread each."""

from __future__ import annotations

import ctypes
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path
from types import FrameType
from typing import Protocol

from coordconv_rl.files import is_no_room, note_full_disk_in_thread
from coordconv_rl.processes import clean_spawning, has_parent
from coordconv_rl.studies.tasks import load_study
from coordconv_rl.studies.training.plan import Unit, find_result
from coordconv_rl.studies.training.records import Result

log = logging.getLogger(__name__)

MOST_PROCESSES = 61  # that Python can wait for on Windows
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h


class Watcher(Protocol):
    """Who is told how the trainings go."""

    def started(self, units: int) -> None:
        """So many units are to be trained."""

    def waiting(self, units: list[Unit]) -> None:
        """These units are being trained; called about every second."""

    def finished(self, unit: Unit, result: Result) -> None:
        """A unit ended."""

    def failed(self, unit: Unit, reason: str) -> None:
        """A unit raised or its process died."""


class Trainers:
    """Processes that train units; who has trained some stays for the next.

    Made for a `with` block, at whose end the processes leave.

    Args:
        root: The study's folder.
        jobs: Trainings at a time.
        watcher: Is told about each start and end.
    """

    def __init__(self, root: Path, jobs: int, watcher: Watcher) -> None:
        self.root, self.jobs, self.watcher = root, jobs, watcher
        self._stop: Event | None = None
        self._executor: ProcessPoolExecutor | None = None
        self._signals = ExitStack()

    def __enter__(self) -> Trainers:
        self._signals.enter_context(_terminable())
        return self

    def __exit__(self, *_: object) -> None:
        with self._signals:
            self._leave()

    def train(self, units: list[Unit]) -> list[Unit]:
        """Train what is not complete yet.

        Args:
            units: The trainings, in order.

        Returns:
            The units that failed; the others have results.

        Raises:
            KeyboardInterrupt: Ctrl-C or SIGTERM; each training has saved itself before.
            OSError: The disk is full: no other training could save itself either.
        """
        todo = [u for u in units if not _is_complete(self.root, u)]
        self.watcher.started(len(todo))
        if not todo:
            return []
        with clean_spawning():
            try:
                return self._train(todo)
            except BaseException:
                if self._stop is not None:
                    self._stop.set()
                self._leave()
                raise

    def _train(self, todo: list[Unit]) -> list[Unit]:
        """Train every unit, and return those that failed."""
        try:
            futures = self._submit(todo)
        except BrokenProcessPool:  # one was killed while it had nothing to do
            self._leave()
            futures = self._submit(todo)
        failures = _collect(futures, self.watcher)
        if any(isinstance(future.exception(), BrokenProcessPool) for future in futures):
            self._leave()  # one was killed, and took the others' places with it
        return failures

    def _submit(self, todo: list[Unit]) -> dict[Future[Result], Unit]:
        if self._executor is None:
            context = multiprocessing.get_context("spawn")
            self._stop = context.Event()  # it starts a process, too: not from the user's folder
            given = self._stop, os.getpid()
            jobs = min(self.jobs, MOST_PROCESSES)
            self._executor = ProcessPoolExecutor(jobs, context, _begin, given)
        return {self._executor.submit(_work, unit, self.root): unit for unit in todo}

    def _leave(self) -> None:
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=True, cancel_futures=True)


def _is_complete(root: Path, unit: Unit) -> bool:
    result = find_result(root, unit)
    return result is not None and result.is_complete(unit.seconds)


def _collect(futures: dict[Future[Result], Unit], watcher: Watcher) -> list[Unit]:
    """Wait for all futures, tell the watcher about each, and return the failures.

    Raises:
        OSError: A training met a full disk.
    """
    failures, pending = [], set(futures)
    while pending:
        done, pending = wait(pending, timeout=1.0, return_when=FIRST_COMPLETED)
        for future in done:
            unit, error = futures[future], future.exception()
            if error is None:
                watcher.finished(unit, future.result())
            elif is_no_room(error):
                raise error
            else:
                log.error("%s failed", unit.path, exc_info=error)
                failures.append(unit)
                watcher.failed(unit, f"{type(error).__name__}: {error}")
        watcher.waiting([futures[future] for future in pending if future.running()])
    return failures


_stop: Event | None = None
_parent = 0
_busy = threading.Lock()


def _begin(stop: Event, parent: int) -> None:
    """Prepare a worker process: one thread; the parent alone answers Ctrl-C."""
    global _stop, _parent
    import torch

    _stop, _parent = stop, parent
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.excepthook = note_full_disk_in_thread  # the writer of TensorBoard's events is one
    torch.set_num_threads(1)
    _keep_memory()
    threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()


def _leave_with(parent: int) -> None:
    """End this process when its parent is gone, once a training has saved itself."""
    while has_parent(parent) or _busy.locked():
        time.sleep(1.0)
    os._exit(1)


def _keep_memory() -> None:
    """Ask glibc to keep freed memory instead of giving it back to the system after each step.

    Every step of a study allocates the same tens of megabytes; fetching them anew costs 10,000
    page faults, up to a quarter of the step. Other C libraries have no such function.
    """
    adjust = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if adjust is not None:
        adjust(M_MMAP_THRESHOLD, 2**25)  # bytes; the largest value that glibc takes
        adjust(M_TRIM_THRESHOLD, 2**30)


def _is_stopped() -> bool:
    """Return whether the parent wants an end, or is gone."""
    return not has_parent(_parent) or (_stop is not None and _stop.is_set())


def _work(unit: Unit, root: Path) -> Result:
    """Train one unit in a worker process."""
    from coordconv_rl.studies.training.train import train_unit

    with _busy:
        return train_unit(unit, load_study(unit.study), root / unit.path, _is_stopped)


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM end the program as Ctrl-C does, while trainings run in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
