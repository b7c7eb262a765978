"""Signals that ask to stop: SIGINT, SIGTERM, SIGHUP unless `nohup` has it ignored, SIGBREAK."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

Handler = Callable[[int, FrameType | None], None]


@contextmanager
def handle_stop_signals(handler: Handler) -> Iterator[None]:
    """Give the signals that ask to stop to `handler` inside a `with` block.

    Call it in the main thread: Python takes handlers nowhere else.
    """
    numbers = [signal.SIGINT, signal.SIGTERM]
    # Windows has no SIGHUP; its SIGBREAK is what `processes.interrupt` can send there.
    for name in ("SIGHUP", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            numbers.append(number)
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
