"""Ctrl-C and SIGTERM: what was started is ended, whenever they come."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(BaseException):
    """A signal asked the benchmark to stop.

    Attributes:
        code: The exit code that tells which.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.code = 128 + number


def stop_on_signals() -> None:
    """Let the first signal raise `Stopped`; later ones do not disturb the end.

    They get a handler of their own: of a signal that waits while `SIG_IGN` is set Python prints
    that it was "ignored due to race condition".
    """

    def stop(number: int, _: FrameType | None) -> None:
        for each in SIGNALS:
            signal.signal(each, lambda *_: None)
        raise Stopped(number)

    for each in SIGNALS:
        signal.signal(each, stop)


def ignore_signals() -> None:
    """Ignore further signals until the process has ended; Python takes its handlers back before."""
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Put signals off until the end of the block; for starting and for ending processes."""
    noted: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        noted.append(number)

    former = {each: signal.signal(each, note) for each in SIGNALS}
    try:
        yield
    finally:
        for each, handler in former.items():
            signal.signal(each, handler)
        if noted:
            signal.raise_signal(noted[0])


def kill(process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
    """Kill a process that leads a session of its own, with its children, and wait for it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
