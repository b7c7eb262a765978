"""One process a run on this machine."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

from coordconv_rl import locks, processes
from coordconv_rl.configs import RunConfig
from coordconv_rl.files import open_regular
from coordconv_rl.runs import LOG_FILE, PARENT_VARIABLE, RUN_LOCK

WORKER = ("train", "--resume")
"""What `coordconv-rl` is told, before a run's folder."""

TRUSTING_WORKER = (WORKER[0], "--trust-code", *WORKER[1:])
"""What it is told where the user's experiment names code of the user's own."""

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
)


def worker_environment(threads: int) -> dict[str, str]:
    """Return this process's environment with the numeric libraries held to some threads.

    `COORDCONV_PARENT_PID` names this process: a worker that no longer finds it saves and stops.
    """
    limits = {name: str(threads) for name in _THREAD_VARIABLES}
    return {**os.environ, **limits, PARENT_VARIABLE: str(os.getpid())}


class Process:
    """A run's process in a session of its own, so that Ctrl-C reaches the launcher alone.

    It shares the run's lock: as long as it lives, even after its launcher, no second process
    starts on the same folder.

    Args:
        folder: The run's folder.
        threads: Threads of its numeric libraries.
        program: Its command line, to which the folder is added; by default `coordconv-rl train
            --resume`.
        code: The folder from which it may import the user's own code; None for no such code.

    Attributes:
        host: The machine's name.
        pid: The process's id there.

    Raises:
        locks.LockedError: A process of an earlier launcher still works on the folder.
        OSError: The folder cannot be written.
    """

    def __init__(
        self,
        folder: Path,
        threads: int,
        program: Sequence[str] | None = None,
        code: Path | None = None,
    ) -> None:
        """Lock the folder and start the program."""
        words = WORKER if code is None else TRUSTING_WORKER
        program = program or processes.package_command(*words, trusted=code)
        self.host = socket.gethostname()
        owner = f"a process that process {os.getpid()} on {self.host} started"
        self._lock: int | None = locks.acquire(folder / RUN_LOCK, owner)
        try:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
            with os.fdopen(open_regular(folder / LOG_FILE, flags), "ab") as log:
                self._process = processes.start_group(
                    [*program, str(folder)],
                    share=(self._lock,),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=worker_environment(threads),
                )
        except BaseException:
            self._unlock()
            raise
        if processes.SHARES_LOCKS:  # Elsewhere this process keeps it until the other's end.
            self._unlock()
        self.pid: int | None = self._process.pid

    def poll(self) -> int | None:
        """Return the exit code, minus the signal's number for a killed process, None if alive."""
        code = self._process.poll()
        if code is not None:
            processes.kill_group(self._process)  # environment workers that outlived it
            self._unlock()
        return code

    def stop(self) -> None:
        """Ask it to save a checkpoint and end."""
        processes.interrupt(self._process)

    def kill(self) -> None:
        """End it and its children at once."""
        if self._process.poll() is None:
            processes.kill_group(self._process)
            self._process.wait()
        self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


class LocalBackend:
    """Runs on this machine.

    Args:
        program: The worker's command line, to which the run's folder is added.
        code: As in `Process`.
    """

    def __init__(self, program: Sequence[str] | None = None, code: Path | None = None) -> None:
        self._program = program
        self._code = code

    def slots(self, cores: int) -> int:
        """Return how many runs of so many cores this process may use at once, at least one."""
        return max(1, processes.available_cores() // cores)

    def start(self, folder: Path, config: RunConfig) -> Process:
        """Start the run that the folder's config.yaml describes, or go on with it."""
        return Process(folder, config.threads, self._program, self._code)

    def close(self) -> None:
        """Nothing to give back."""
