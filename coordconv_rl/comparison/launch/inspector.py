"""A process that inspects one agent after another: torch and games are loaded once for all."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

from coordconv_rl import locks, processes
from coordconv_rl.comparison.launch.local import worker_environment
from coordconv_rl.files import open_regular
from coordconv_rl.runs import LOG_FILE, RUN_LOCK


class Inspector:
    """Takes agents by `begin`, one at a time; if it dies, the next one starts it again.

    Args:
        command: Reads folders and answers exit codes, as `coordconv_rl.cli.serve` does.
        threads: Threads of its numeric libraries.
    """

    def __init__(self, command: Sequence[str], threads: int) -> None:
        self._command = command
        self._threads = threads
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None

    def begin(self, folder: Path) -> None:
        """Begin to inspect the agent in a run's folder, which is locked meanwhile.

        Raises:
            locks.LockedError: Somebody works on the folder.
            OSError: The folder cannot be written.
        """
        owner = f"an inspection by process {os.getpid()} on {socket.gethostname()}"
        self._lock = locks.acquire(folder / RUN_LOCK, owner)
        try:
            if self._process is None or self._process.poll() is not None:
                self._process = self._start(folder)
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(str(folder.absolute())).encode() + b"\n")
            self._process.stdin.flush()
        except BaseException:
            self._unlock()
            raise

    def _start(self, folder: Path) -> subprocess.Popen[bytes]:
        """Start the process; what it says before it has a folder goes to the first one's log."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        with os.fdopen(open_regular(folder / LOG_FILE, flags), "ab") as log:
            process = processes.start_group(
                list(self._command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=worker_environment(self._threads),
            )
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        return process

    def poll(self) -> int | None:
        """Return the exit code of the inspection that goes on, None as long as it does."""
        assert self._process is not None
        assert self._process.stdout is not None
        code = self._process.poll()
        answer = self._process.stdout.read()
        if answer:
            code = int(answer)
        if code is not None:
            self._unlock()
        return code

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            processes.kill_group(self._process)
            self._process.wait()

    def close(self) -> None:
        """Let it end, once it has nothing to do, or end it at once."""
        self.kill()
        self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
