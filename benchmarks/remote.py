"""The driver's side of a worker: start it, ask it, close it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.stopping import kill, undisturbed

ROOT = Path(__file__).resolve().parent.parent
CLOSING_SECONDS = 30


class Failed(RuntimeError):
    """A contestant could not be measured; the message says why."""


def environment(threads: int | None) -> dict[str, str]:
    """Return environment variables that limit OpenMP, before any library reads them."""
    values = {
        k: v for k, v in os.environ.items() if k not in {"OMP_NUM_THREADS", "MKL_NUM_THREADS"}
    }
    if threads is not None:
        values |= {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    return values | {"PYTHONUNBUFFERED": "1", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}


def own_environment(threads: int | None) -> dict[str, str]:
    """Return the same for processes that import this checkout."""
    values = environment(threads)
    paths = [str(ROOT), values.get("PYTHONPATH", "")]
    return values | {"PYTHONPATH": os.pathsep.join(path for path in paths if path)}


def tail(path: Path, lines: int = 3) -> str:
    """Return the last lines of a log as one line."""
    text = path.read_text(encoding="utf-8", errors="replace")
    return " | ".join(text.strip().splitlines()[-lines:])


class Remote:
    """A subject in a process of its own.

    Args:
        spec: What to measure; see `specs`.

    Raises:
        Failed: The process ended before it was ready.
    """

    def __init__(self, spec: dict[str, Any]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="benchmark-")
        self._log = Path(self._folder.name) / "log.txt"
        words = json.dumps(spec | {"folder": self._folder.name})
        with self._log.open("w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.worker", words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=ROOT,
                env=own_environment(spec["threads"]),
                start_new_session=True,
            )
        self._ready = self._busy = self._ended = False

    def _reply(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            code = self.process.wait()
            raise Failed(f"the worker ended with code {code}: {tail(self._log)}")
        return json.loads(line)

    def wait(self) -> None:
        """Wait until the subject is warm."""
        if not self._ready:
            self._reply()
            self._ready = True

    def measure(self, seconds: float) -> Any:
        """Return one measurement, of at least that many seconds."""
        self.wait()
        assert self.process.stdin is not None
        self._busy = True
        try:
            self.process.stdin.write(json.dumps({"seconds": seconds}) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise Failed(f"the worker is gone: {tail(self._log)}") from error
        value = self._reply()["value"]
        self._busy = False
        return value

    def close(self) -> None:
        """End the process and its children; at once if it is at work."""
        if self._ready and not self._busy:
            self._leave()
        self.kill()

    def kill(self) -> None:
        """End the process and its children at once; a second time does nothing."""
        with undisturbed():
            if not self._ended:
                self._ended = True
                kill(self.process)
                assert self.process.stdout is not None
                self.process.stdout.close()
                self._folder.cleanup()

    def _leave(self) -> None:
        """Let the process close its environments and go."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError, subprocess.TimeoutExpired):
            self.process.stdin.close()
            self.process.wait(CLOSING_SECONDS)


def keep(stack: ExitStack, spec: dict[str, Any]) -> Remote:
    """Start a subject that the stack closes, with no moment between the two for a signal."""
    with undisturbed():
        remote = Remote(spec)
        stack.callback(remote.kill)  # if a signal comes while it closes
        stack.callback(remote.close)
    return remote
