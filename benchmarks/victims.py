"""Commands of `coordconv-rl` that are killed: as processes of their own, or forked from this one.

A new process needs seconds for importing torch, in which a kill finds nothing that it could spoil.
A fork of this process, where all is imported, is at work at once; what it works on, it reads and
writes as any command does.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

import coordconv_rl.agents.inspect
import coordconv_rl.agents.train
import coordconv_rl.comparison.launch  # noqa: F401 - all of them, so that forks need not
from coordconv_rl.cli import run_command_line

COMMAND = (sys.executable, "-m", "coordconv_rl")
LIMIT_SECONDS = 900.0
LOOK_SECONDS = 0.005


class Victim:
    """A process of its own, in a session of its own.

    Args:
        words: Its command line after `coordconv-rl`.
        log: Where it writes.
    """

    def __init__(self, words: Sequence[object], log: Path) -> None:
        self._file = log.open("ab")
        self.process = subprocess.Popen(
            [*COMMAND, *map(str, words)],
            stdin=subprocess.DEVNULL,
            stdout=self._file,
            stderr=self._file,
            start_new_session=True,
        )
        self.pid = self.process.pid
        self.began = time.time()

    def wait(self, seconds: float) -> int | None:
        """Return the exit code, or None after so many seconds."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def kill(self) -> None:
        """Kill it, and nothing else."""
        self.process.send_signal(signal.SIGKILL)
        self.wait(LIMIT_SECONDS)
        self._file.close()

    def finish(self) -> int:
        """Wait for its end and return the exit code; kill its session if that never comes."""
        code = self.wait(LIMIT_SECONDS)
        if code is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            code = self.process.wait()
        self._file.close()
        return code


class Fork:
    """The same as a fork of this process; nothing here may have threads by then.

    Args:
        words: Its command line after `coordconv-rl`.
        log: Where it writes.
    """

    def __init__(self, words: Sequence[object], log: Path) -> None:
        self._code: int | None = None
        self.pid = os.fork()
        if not self.pid:
            _be(words, log)
        self.began = time.time()

    def wait(self, seconds: float) -> int | None:
        """Return the exit code, or None after so many seconds."""
        end = time.monotonic() + seconds
        while self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
            elif time.monotonic() >= end:
                return None
            else:
                time.sleep(LOOK_SECONDS)
        return self._code

    def kill(self) -> None:
        """Kill it, and nothing else."""
        if self._code is None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait(LIMIT_SECONDS)

    def finish(self) -> int:
        """Wait for its end and return the exit code; kill it if that never comes."""
        if self.wait(LIMIT_SECONDS) is None:
            self.kill()
        assert self._code is not None
        return self._code


def _be(words: Sequence[object], log: Path) -> None:
    """Be a command in a fork, and end."""
    code = 70
    try:
        os.setsid()
        file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        for number in (1, 2):
            os.dup2(file, number)
        code = run_command_line([str(word) for word in words])
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
