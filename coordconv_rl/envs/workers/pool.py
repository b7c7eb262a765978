"""Groups of environments in several processes, as the one that made them sees them."""

from __future__ import annotations

import mmap
import os
import subprocess
import weakref
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import pairwise
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coordconv_rl.envs.settings import GameSettings
from coordconv_rl.envs.snapshot import State
from coordconv_rl.envs.workers import worker
from coordconv_rl.envs.workers.group import Ends, Group
from coordconv_rl.envs.workers.members import GOODBYE_SECONDS, Member, ThisProcess, WorkerProcess
from coordconv_rl.envs.workers.shared_arrays import SharedArrays, shared_file, size_in_bytes
from coordconv_rl.errors import InputError
from coordconv_rl.processes import python_command


class Pool:
    """The environments of `Group`, split evenly over this process and others.

    This process, which would only wait, plays the first environments itself: as many processes
    as cores then keep all of them busy, and one process less has to be woken in every step.

    Args:
        settings: What to play.
        n_envs: Environments of all processes together.
        workers: Processes, this one among them: at least 2.

    Attributes:
        arrays: What all environments write, in memory that the processes share.
    """

    def __init__(self, settings: GameSettings, n_envs: int, workers: int) -> None:
        """Start the other processes, and wait until all have their emulators."""
        if not hasattr(os, "register_at_fork"):
            raise InputError("workers need a POSIX system: use workers=0")
        self._pending = False
        self._ended: Ends | None = None  # what came out of a pending step before it was asked for
        self._workers: list[WorkerProcess] = []
        self._finalizer = weakref.finalize(self, _shut_down, self._workers, os.getpid())
        shape = n_envs, settings.screen_size
        memory = shared_file(*shape)
        try:
            self.arrays = SharedArrays.over(mmap.mmap(memory, size_in_bytes(*shape)), *shape)
            bounds = [index * n_envs // workers for index in range(workers + 1)]
            for index, (start, stop) in enumerate(pairwise(bounds[1:]), start=1):
                pipe, process = _launch(memory)
                self._workers.append(WorkerProcess(f"worker {index}", process, pipe, start, stop))
                pipe.send((asdict(settings), n_envs, start, stop))
            self._here = ThisProcess(Group(settings, self.arrays.part(0, bounds[1])))
            self._members: list[Member] = [self._here, *self._workers]
            self._receive(self._workers)
        except BaseException:
            self._finalizer()
            raise
        finally:
            os.close(memory)

    def start(self, actions: NDArray[np.integer[Any]]) -> None:
        """Begin a step with these actions, (n_envs,), in the other processes; return at once."""
        self._settle()
        self.arrays.actions[:] = actions
        self._send(dict.fromkeys(self._members))
        self._pending = True

    def finish(self) -> Ends:
        """Play this process's part of the step that `start` began, and wait for the others."""
        if self._ended is not None:
            ended, self._ended = self._ended, None
            return ended
        self._pending = False
        results = self._receive(self._members)
        return {
            one.start + index: end
            for one, ends in zip(self._members, results, strict=True)
            for index, end in ends.items()
        }

    def reset(self, seeds: Sequence[int | None]) -> None:
        """As `Group.reset`."""
        self._ask({one: ("reset", (seeds[one.start : one.stop],)) for one in self._members})

    def save(self) -> list[State]:
        """As `Group.save`."""
        parts = self._ask(dict.fromkeys(self._members, ("save", ())))
        return [state for part in parts for state in part]

    def load(self, states: Sequence[State]) -> None:
        """As `Group.load`."""
        self._ask({one: ("load", (states[one.start : one.stop],)) for one in self._members})

    def get(self, indices: Iterable[int], name: str) -> list[Any]:
        """As `Group.get`; the values must be picklable."""
        return [self._ask_one(index, "get", name)[0] for index in indices]

    def set(self, indices: Iterable[int], name: str, value: Any) -> None:
        """As `Group.set`; the value must be picklable."""
        for index in indices:
            self._ask_one(index, "set", name, value)

    def call(
        self, indices: Iterable[int], name: str, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> list[Any]:
        """As `Group.call`; arguments and results must be picklable."""
        return [self._ask_one(index, "call", name, args, kwargs)[0] for index in indices]

    def close(self) -> None:
        """End the other processes; a second time does nothing."""
        self._here.group.close()
        self._finalizer()

    def _ask_one(self, index: int, method: str, *args: Any) -> Any:
        index = range(self.arrays.actions.size)[index]
        (one,) = (one for one in self._members if one.start <= index < one.stop)
        return self._ask({one: (method, ([index - one.start], *args))}, keeping=True)[0]

    def _ask(self, requests: dict[Member, worker.Request], *, keeping: bool = False) -> list[Any]:
        """Send requests; return the results in their order."""
        self._settle(keeping=keeping)
        self._send(requests)
        return self._receive(requests)

    def _settle(self, *, keeping: bool = False) -> None:
        """End a pending step, and what was interrupted.

        A question beside the step keeps its result for `finish`; else it is cancelled, as in SB3.
        """
        if self._pending and self._workers:
            self._ended = self.finish()
        if not keeping:
            self._ended = None
        for one in self._workers:
            one.settle()

    def _send(self, requests: dict[Member, worker.Request]) -> None:
        if not self._workers:
            raise RuntimeError("the environment is closed")
        for one, request in requests.items():
            one.send(request)

    @staticmethod
    def _receive(members: Iterable[Member]) -> list[Any]:
        """Take one answer from each, so that none is left in a pipe; then raise what failed."""
        results: list[Any] = []
        failures: list[tuple[Exception, str]] = []
        for one in members:
            succeeded, result = one.receive()
            (results if succeeded else failures).append(result)
        if failures:
            error, text = failures[0]
            raise error from RuntimeError(text)
        return results


def _launch(memory: int) -> tuple[Connection, subprocess.Popen[bytes]]:
    """Start a worker that shares the memory."""
    ours, theirs = Pipe()
    with theirs:
        descriptor = theirs.fileno()
        process = subprocess.Popen(
            python_command(worker.BOOT, str(descriptor), str(memory)),
            stdin=subprocess.DEVNULL,
            pass_fds=(descriptor, memory),
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
    return ours, process


def _shut_down(workers: list[WorkerProcess], owner: int) -> None:
    """Close the pipes, which ends the workers, and wait for them; kill one that hangs."""
    if os.getpid() != owner:  # A forked copy of the owner must not end its workers.
        return
    for one in workers:
        one.pipe.close()
    for one in workers:
        try:
            one.process.wait(GOODBYE_SECONDS)
        except subprocess.TimeoutExpired:
            one.process.kill()
            one.process.wait()
    workers.clear()
