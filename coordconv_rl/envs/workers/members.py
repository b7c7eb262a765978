"""Who plays in a pool: another process, or this one with environments of its own."""

from __future__ import annotations

import os
import pickle
import subprocess
from dataclasses import dataclass
from multiprocessing.connection import Connection

from coordconv_rl.envs.workers import worker
from coordconv_rl.envs.workers.group import Group

GOODBYE_SECONDS = 5.0
_TOKEN_BYTES = 16


@dataclass(eq=False)
class WorkerProcess:
    """A worker process, the pipe to it, and the environments from `start` up to `stop`.

    It owes an answer from before a request is sent until the answer has been taken whole. Ctrl-C,
    or whatever else a signal's handler raises, may come between any two of these steps.
    """

    name: str
    process: subprocess.Popen[bytes]
    pipe: Connection
    start: int
    stop: int
    owes: bool = True  # that it has started

    def send(self, request: worker.Request) -> None:
        """Ask for something; what an earlier request left is thrown away first.

        Raises:
            RuntimeError: The process died, or the environment is closed.
        """
        self.settle()
        self.owes = True
        try:
            self.pipe.send_bytes(worker.STEP if request is None else pickle.dumps(request))
        except (OSError, ValueError) as error:
            raise self._death() from error

    def receive(self) -> worker.Answer:
        """Wait for the answer, and take it.

        Raises:
            RuntimeError: As `send`.
        """
        try:
            message = self.pipe.recv_bytes()
        except (EOFError, OSError) as error:
            raise self._death() from error
        self.owes = False
        answer: worker.Answer = (True, {}) if message == worker.NO_ENDS else pickle.loads(message)
        return answer

    def settle(self) -> None:
        """Throw away an answer that nobody took: all that comes before a new mark comes back.

        An interrupted reader may have taken any part of it, so it cannot be read as messages are.
        """
        if not self.owes:
            return
        token = os.urandom(_TOKEN_BYTES)
        try:
            self.pipe.send_bytes(worker.MARK + token)
            seen = b""
            while not seen.endswith(token):
                more = os.read(self.pipe.fileno(), 2**16)
                if not more:
                    raise EOFError
                seen = seen[-_TOKEN_BYTES:] + more
        except (EOFError, OSError) as error:
            raise self._death() from error
        self.owes = False

    def _death(self) -> RuntimeError:
        if self.pipe.closed:
            return RuntimeError("the environment is closed")
        try:
            code: int | None = self.process.wait(GOODBYE_SECONDS)
        except subprocess.TimeoutExpired:
            code = None
        which = f"environments {self.start} to {self.stop - 1}"
        return RuntimeError(f"{self.name} ({which}) died with exit code {code}")


class ThisProcess:
    """This process's own environments, from 0 up to `stop`; they move when an answer is asked."""

    start = 0

    def __init__(self, group: Group) -> None:
        self.group = group
        self.stop = len(group.emulators)
        self._request: worker.Request = None

    def send(self, request: worker.Request) -> None:
        """Keep the request for `receive`."""
        self._request = request

    def settle(self) -> None:
        """Nothing is ever owed here."""

    def receive(self) -> worker.Answer:
        """Do what was asked."""
        return worker.obey(self.group, self._request)


Member = ThisProcess | WorkerProcess
