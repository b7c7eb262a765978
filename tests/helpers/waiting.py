"""Waiting for an event itself: what a slow machine makes slower, it makes no failure."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

LIMIT = 240.0  # seconds after which something hangs: nothing here takes a tenth of it when idle


def wait_for(
    is_so: Callable[[], object], *, while_alive: Callable[[], object] = lambda: True
) -> None:
    """Return once something is so.

    Args:
        is_so: Asked again and again.
        while_alive: Whether what brings it about still lives; when it does not, that is a failure.
    """
    deadline = time.monotonic() + LIMIT
    while True:
        lives = while_alive()  # before the question: it may bring it about and end in between
        if is_so():
            return
        assert lives, "it ended before that"
        assert time.monotonic() < deadline, f"not within {LIMIT:.0f} s"
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Say whether a process goes on; one that has ended and was not asked for does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rsplit(")", 1)[1].split()[0] != "Z"
