"""Signals that ask to stop: SIGINT, SIGTERM, SIGHUP unless `nohup` has it ignored, SIGBREAK."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

Handler = Callable[[int, FrameType | None], None]


def stop_signal_numbers() -> list[int]:
    """Return the signals that ask to stop on this system; Windows has no SIGHUP, but SIGBREAK.

    SIGBREAK is what `processes.interrupt` can send there.
    """
    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    return [getattr(signal, name) for name in names if hasattr(signal, name)]


@contextmanager
def handle_stop_signals(handler: Handler) -> Iterator[None]:
    """Give the signals that ask to stop to `handler` inside a `with` block.

    Call it in the main thread: Python takes handlers nowhere else.
    """
    always = (signal.SIGINT, signal.SIGTERM)
    numbers = [
        number
        for number in stop_signal_numbers()
        if number in always or signal.getsignal(number) is not signal.SIG_IGN
    ]
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, former in before.items():
            signal.signal(number, former)


@contextmanager
def stop_signals() -> Iterator[list[int]]:
    """Collect the signals that ask to stop inside a `with` block."""
    signals: list[int] = []

    def collect(number: int, frame: FrameType | None) -> None:
        signals.append(number)

    with handle_stop_signals(collect):
        yield signals
