"""Asking a training run to stop at its next safe point."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from coordconv_rl.processes import has_parent
from coordconv_rl.runs import PARENT_VARIABLE
from coordconv_rl.signals import handle_stop_signals


class Interrupted(Exception):
    """The run stopped because it was asked to; its checkpoint is saved."""


class StopRequest:
    """Whether the run should stop: a signal came, or its launcher is gone."""

    def __init__(self) -> None:
        self.reason: str | None = None
        parent = os.environ.get(PARENT_VARIABLE)
        self._parent = int(parent) if parent else None

    def check(self) -> str | None:
        """Return why to stop, or None."""
        if self.reason is None and self._parent is not None and not has_parent(self._parent):
            self.reason = "its launcher is gone"
        return self.reason

    def raise_if_asked(self) -> None:
        """Raise `Interrupted` if the run should stop."""
        if self.check() is not None:
            raise Interrupted(self.reason)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.reason is not None:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self.reason = f"{signal.Signals(number).name} was received"


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Turn the first SIGINT, SIGTERM or SIGHUP into a request; a second one acts at once.

    A SIGHUP that `nohup` has this process ignore stays ignored.

    Outside the main thread, where Python takes no signal handlers, only the launcher is watched.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    with handle_stop_signals(request._ask):
        yield request
