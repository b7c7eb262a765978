"""Peak memory of a process and its children, shared pages counted once."""

from __future__ import annotations

import threading
from pathlib import Path

SAMPLING_SECONDS = 0.05


def children(pid: int) -> list[int]:
    """Return the processes that a process started and that still live."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, path.read_text(encoding="ascii").split())
        except OSError:  # the thread ended while we looked
            continue
    return found


def proportional_bytes(pid: int) -> int:
    """Return the memory (Linux's PSS: shared pages divided by their users) with children."""
    own = 0
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                own = 1024 * int(line.split()[1])
        below = children(pid)
    except OSError:  # it ended while we looked
        return 0
    return own + sum(map(proportional_bytes, below))


class Peak:
    """Samples a process tree in the background; `bytes` is the largest sum seen.

    Args:
        pid: The process at the tree's root.
    """

    def __init__(self, pid: int) -> None:
        self.bytes = 0
        self._pid = pid
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def _sample(self) -> None:
        while not self._end.wait(SAMPLING_SECONDS):
            self.bytes = max(self.bytes, proportional_bytes(self._pid))

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
