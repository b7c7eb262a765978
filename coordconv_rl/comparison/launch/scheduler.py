"""Which run starts, which has ended and how, and which is tried again.

A run's state is its status in the ledger; here is every change and who makes it:

    waiting --start--> running             `_start`: a process was started
    running ---------> done                `_judge`: exit code 0, and the run's results are there
    running ---------> failed              `_judge`: exit code 2, bad input, which no retry mends
    running ---------> lost --> running    `_again`: it was killed, diverged, hung or ended without
                                           results: to the queue's front while retries are left
    running ---------> failed              `_again`: no retry is left
    running ---------> waiting             `_judge`: the disk is full, and the launcher gives up;
                                           `stop_all`: somebody stopped the launcher;
                                           `_look_at`: another process holds the run's lock
    waiting ---------> failed              `_start`: its folder cannot be used;
                                           `_wait_for_lock`: the lock stayed held for too long
    running ---------> lost                `Ledger.take_up`: an earlier launcher went away
    done ------------> waiting             `_is_missing`: its results are gone, or it shall train on
    any other -------> done                `_is_missing`: its results are there after all

Failed and lost runs of an earlier launch are missing ones, so that starting the launcher again
tries them again. Decisions rest on exit codes and files, never on the words of a reason.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from coordconv_rl.comparison.launch.active import Active
from coordconv_rl.comparison.launch.backend import Backend
from coordconv_rl.comparison.launch.ledger import Ledger
from coordconv_rl.configs import RunConfig
from coordconv_rl.errors import BAD_INPUT, DISK_FULL, OK, InputError
from coordconv_rl.locks import LockedError
from coordconv_rl.runs import (
    describe_exit,
    is_finished,
    now,
    peek_record,
    prepare_run,
)

STOP_SECONDS = 30.0  # time for a checkpoint before a process that was asked to stop is killed
LOCK_SECONDS = 60.0  # time for an earlier launcher's process to notice and end
LEAST_FREE_BYTES = 2**20


class CannotGoOnError(Exception):
    """The disk is full or cannot be written: going on would only break more."""


class Scheduler:
    """Works through the runs that the ledger does not have as done.

    Args:
        folder: The experiment's folder.
        configs: All planned runs, in the order to start them.
        ledger: The held ledger.
        backend: Where processes run.
        jobs: How many run at a time.
        retries: How often a run is started again after it broke.
        hang_seconds: Seconds without progress after which a run is killed.
    """

    def __init__(
        self,
        folder: Path,
        configs: Sequence[RunConfig],
        ledger: Ledger,
        backend: Backend,
        *,
        jobs: int,
        retries: int,
        hang_seconds: float,
    ) -> None:
        """Queue every run that is missing."""
        self._folder = folder
        self.ledger = ledger
        self._backend = backend
        self._jobs = jobs
        self._retries = retries
        self._hang_seconds = hang_seconds
        self._starts: dict[str, int] = {}
        self._locked_since: dict[str, float] = {}
        self.active: dict[str, Active] = {}
        missing = [config for config in configs if self._is_missing(config)]
        self.queue = deque(missing)

    @property
    def left(self) -> int:
        """How many runs are still to end."""
        return len(self.queue) + len(self.active)

    def tick(self) -> None:
        """Look at every process once, then start as many runs as there is room for.

        Raises:
            CannotGoOnError: The disk is full or cannot be written.
        """
        for active in list(self.active.values()):
            self._look_at(active)
        for _ in range(min(self._jobs - len(self.active), len(self.queue))):
            self._start(self.queue.popleft())

    def stop_all(self, reason: str, hurry: Callable[[], bool] = lambda: False) -> None:
        """Ask every process to save and end, wait, and kill those that do not in time.

        Args:
            reason: Why, for the ledger.
            hurry: Whether to kill them at once after all.
        """
        for active in self.active.values():
            active.worker.stop()
        deadline = time.monotonic() + STOP_SECONDS
        while self.active:
            for run, active in list(self.active.items()):
                late = time.monotonic() > deadline or hurry()
                if late:
                    active.worker.kill()
                try:
                    code = active.worker.poll()
                except LockedError:  # another process works on the run, and this one has ended
                    code, late = None, True
                if code is None and not late:
                    continue
                active.record = peek_record(self._folder / run)
                del self.active[run]
                self._record_stop(active, code, reason)
            time.sleep(0.05)

    def _record_stop(self, active: Active, code: int | None, reason: str) -> None:
        run = active.config.run_id
        done = code == OK and is_finished(self._folder, active.config)
        step = (active.record or {}).get("step", 0)
        status = "done" if done else "waiting"
        text = None if done else f"{reason} at step {step:,}"
        # On a full disk the entry stays "running", which the next launcher reads as lost.
        with contextlib.suppress(CannotGoOnError):
            self._update(run, status=status, reason=text, ended=now())

    def _is_missing(self, config: RunConfig) -> bool:
        entry = self.ledger.entries[config.run_id]
        done = is_finished(self._folder, config)
        if done and entry.status != "done":
            self._update(config.run_id, status="done", reason=None)
        elif not done and entry.status == "done":
            self._update(config.run_id, status="waiting", reason="its results are gone")
        return not done

    def _start(self, config: RunConfig) -> None:
        """Start a run's process, or note why it cannot be started."""
        run = config.run_id
        folder = self._folder / run
        try:
            prepare_run(folder, config)
            worker = self._backend.start(folder, config)
        except LockedError as error:
            self._wait_for_lock(config, str(error))
            return
        except InputError as error:
            self._update(run, status="failed", reason=str(error), ended=now())
            return
        except OSError as error:
            raise CannotGoOnError(f"{folder}: {error.strerror}") from error
        self._starts[run] = self._starts.get(run, 0) + 1
        self.active[run] = Active(config, worker)
        self._update(
            run,
            status="running",
            attempts=self.ledger.entries[run].attempts + 1,
            host=worker.host,
            pid=worker.pid,
            started=now(),
            ended=None,
        )

    def _wait_for_lock(self, config: RunConfig, owner: str) -> None:
        since = self._locked_since.setdefault(config.run_id, time.monotonic())
        if time.monotonic() - since < LOCK_SECONDS:
            self.queue.append(config)
            return
        reason = f"{owner} still works on it: end that process, then start again"
        self._update(config.run_id, status="failed", reason=reason, ended=now())

    def _look_at(self, active: Active) -> None:
        """Look at a run once: has it ended, does it make progress, has it hung for too long."""
        run = active.config.run_id
        try:
            code = active.worker.poll()
        except LockedError as error:
            del self.active[run]
            self._starts[run] -= 1
            self._update(run, status="waiting", reason=str(error))
            self._wait_for_lock(active.config, str(error))
            return
        except OSError as error:
            raise CannotGoOnError(f"{self._folder / run}: {error}") from error
        self._note_place(active)
        active.note(peek_record(self._folder / run))
        if code is not None:
            del self.active[run]
            self._judge(active, code)
        elif active.silence > self._hang_seconds:
            active.worker.kill()
            del self.active[run]
            self._again(active.config, f"no progress for {self._hang_seconds / 60:.3g} minutes")

    def _note_place(self, active: Active) -> None:
        run, worker = active.config.run_id, active.worker
        if worker.pid != self.ledger.entries[run].pid:
            self._update(run, host=worker.host, pid=worker.pid)

    def _judge(self, active: Active, code: int) -> None:
        """Note how a run's process ended, from its exit code and the files that it left."""
        config, run = active.config, active.config.run_id
        reason = describe_exit(code, active.record, self._folder / run)
        if code != OK and (code == DISK_FULL or self._is_disk_full()):
            full = describe_exit(DISK_FULL)
            reason = full if code == DISK_FULL else f"{full} ({reason})"
            self._update(run, status="waiting", reason=reason, ended=now())
            raise CannotGoOnError(f"{run}: {reason}")
        if code == OK and is_finished(self._folder, config):
            self._update(run, status="done", reason=None, ended=now())
        elif code == BAD_INPUT:
            self._update(run, status="failed", reason=reason, ended=now())
        else:
            self._again(config, reason)

    def _is_disk_full(self) -> bool:
        """Whether there is too little room to have told why a process ended."""
        return shutil.disk_usage(self._folder).free < LEAST_FREE_BYTES

    def _again(self, config: RunConfig, reason: str) -> None:
        run = config.run_id
        if self._starts[run] <= self._retries:
            self._update(run, status="lost", reason=reason, ended=now())
            self.queue.appendleft(config)
        else:
            self._update(run, status="failed", reason=reason, ended=now())

    def _update(self, run: str, **changes: Any) -> None:
        try:
            self.ledger.update(run, **changes)
        except OSError as error:
            raise CannotGoOnError(f"the ledger: {error.strerror}") from error
