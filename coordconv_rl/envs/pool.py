"""Groups of environments in worker processes, as their parent sees them."""

from __future__ import annotations

import json
import mmap
import os
import pickle
import subprocess
import sys
import weakref
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from coordconv_rl.envs import worker
from coordconv_rl.envs.buffers import Buffers, shared_file, size_in_bytes
from coordconv_rl.envs.group import Ends
from coordconv_rl.envs.settings import Settings
from coordconv_rl.envs.snapshot import State
from coordconv_rl.errors import InputError

_GOODBYE_SECONDS = 5.0


@dataclass
class _Worker:
    """A worker process, the pipe to it, and the environments from `start` up to `stop`."""

    name: str
    process: subprocess.Popen[bytes]
    pipe: Connection
    start: int
    stop: int

    def send(self, message: bytes) -> None:
        try:
            self.pipe.send_bytes(message)
        except (OSError, ValueError) as error:
            raise self._death() from error

    def receive(self) -> bytes:
        try:
            return self.pipe.recv_bytes()
        except (EOFError, OSError) as error:
            raise self._death() from error

    def _death(self) -> RuntimeError:
        if self.pipe.closed:
            return RuntimeError("the environment is closed")
        try:
            code: int | None = self.process.wait(_GOODBYE_SECONDS)
        except subprocess.TimeoutExpired:
            code = None
        which = f"environments {self.start} to {self.stop - 1}"
        return RuntimeError(f"{self.name} ({which}) died with exit code {code}")


class Pool:
    """The environments of `Group`, split evenly over worker processes.

    Args:
        settings: What to play.
        n_envs: Environments of all workers together.
        workers: Processes.

    Attributes:
        buffers: What all environments write, in memory that the workers share.
    """

    def __init__(self, settings: Settings, n_envs: int, workers: int) -> None:
        if not hasattr(os, "register_at_fork"):
            raise InputError("workers need a POSIX system: use workers=0")
        self._pending = False
        self._workers: list[_Worker] = []
        self._finalizer = weakref.finalize(self, _shut_down, self._workers, os.getpid())
        memory = shared_file(n_envs)
        try:
            self.buffers = Buffers.over(mmap.mmap(memory, size_in_bytes(n_envs)), n_envs)
            bounds = [index * n_envs // workers for index in range(workers + 1)]
            for index, (start, stop) in enumerate(pairwise(bounds)):
                pipe, process = _launch(memory)
                self._workers.append(_Worker(f"worker {index}", process, pipe, start, stop))
                pipe.send((asdict(settings), n_envs, start, stop))
            self._receive_all(self._workers)
        except BaseException:
            self._finalizer()
            raise
        finally:
            os.close(memory)

    def start(self) -> None:
        """Begin a step in all workers and return at once."""
        for one in self._workers:
            one.send(worker.STEP)
        self._pending = True

    def finish(self) -> Ends:
        """Wait for the step that `start` began."""
        self._pending = False
        results = self._receive_all(self._workers)
        return {
            one.start + index: end
            for one, ends in zip(self._workers, results, strict=True)
            for index, end in ends.items()
        }

    def reset(self, seeds: Sequence[int | None]) -> None:
        """As `Group.reset`."""
        self._ask({one.name: ("reset", (seeds[one.start : one.stop],)) for one in self._workers})

    def save(self) -> list[State]:
        """As `Group.save`."""
        parts = self._ask({one.name: ("save", ()) for one in self._workers})
        return [state for part in parts for state in part]

    def load(self, states: Sequence[State]) -> None:
        """As `Group.load`."""
        self._ask({one.name: ("load", (states[one.start : one.stop],)) for one in self._workers})

    def get(self, indices: Iterable[int], name: str) -> list[Any]:
        """As `Group.get`; the values must be picklable."""
        return self._ask_each(indices, "get", name)

    def set(self, indices: Iterable[int], name: str, value: Any) -> None:
        """As `Group.set`."""
        for index in indices:
            self._ask_one(index, "set", name, value)

    def call(
        self, indices: Iterable[int], name: str, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> list[Any]:
        """As `Group.call`; arguments and results must be picklable."""
        return self._ask_each(indices, "call", name, args, kwargs)

    def close(self) -> None:
        """End the workers; a second time does nothing."""
        self._finalizer()

    def _ask_each(self, indices: Iterable[int], method: str, *args: Any) -> list[Any]:
        return [self._ask_one(index, method, *args)[0] for index in indices]

    def _ask_one(self, index: int, method: str, *args: Any) -> Any:
        index = range(self.buffers.actions.size)[index]
        (one,) = (one for one in self._workers if one.start <= index < one.stop)
        return self._ask({one.name: (method, ([index - one.start], *args))})[0]

    def _ask(self, requests: dict[str, tuple[str, tuple[Any, ...]]]) -> list[Any]:
        """Send requests to workers by name; return the results in the workers' order."""
        if not self._workers:
            raise RuntimeError("the environment is closed")
        if self._pending:  # SB3: whoever does not wait for a step cancels it.
            self.finish()
        asked = [one for one in self._workers if one.name in requests]
        for one in asked:
            one.send(pickle.dumps(requests[one.name]))
        return self._receive_all(asked)

    @staticmethod
    def _receive_all(workers: Sequence[_Worker]) -> list[Any]:
        """Take one answer from each, so that none is left in a pipe; then raise what failed."""
        results: list[Any] = []
        failures: list[tuple[Exception, str]] = []
        for one in workers:
            message = one.receive()
            succeeded, result = (True, {}) if message == worker.NO_ENDS else pickle.loads(message)
            (results if succeeded else failures).append(result)
        if failures:
            error, text = failures[0]
            raise error from RuntimeError(text)
        return results


def _launch(memory: int) -> tuple[Connection, subprocess.Popen[bytes]]:
    """Start a worker that shares the memory; its path and Python are this process's own."""
    ours, theirs = Pipe()
    with theirs:
        descriptor = theirs.fileno()
        command = [sys.executable, "-c", worker.BOOT, str(descriptor), str(memory)]
        process = subprocess.Popen(
            [*command, json.dumps(sys.path)],
            stdin=subprocess.DEVNULL,
            pass_fds=(descriptor, memory),
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
    return ours, process


def _shut_down(workers: list[_Worker], owner: int) -> None:
    """Close the pipes, which ends the workers, and wait for them; kill one that hangs."""
    if os.getpid() != owner:  # A forked copy of the owner must not end its workers.
        return
    for one in workers:
        one.pipe.close()
    for one in workers:
        try:
            one.process.wait(_GOODBYE_SECONDS)
        except subprocess.TimeoutExpired:
            one.process.kill()
            one.process.wait()
    workers.clear()
