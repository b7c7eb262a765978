"""What the scheduler asks of a place where runs go on: this machine, or a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from coordconv_rl.configs import RunConfig


class Worker(Protocol):
    """A run's process, wherever it is; its `pid` is None as long as it waits for room."""

    host: str
    pid: int | None

    def poll(self) -> int | None:
        """Return the exit code, or None while it lives."""

    def stop(self) -> None:
        """Ask it to save and end."""

    def kill(self) -> None:
        """End it at once."""


class Backend(Protocol):
    """Where processes run."""

    def slots(self, cores: int) -> int:
        """Return how many runs of so many cores there is room for, at least one."""

    def start(self, folder: Path, config: RunConfig) -> Worker:
        """Start or resume the run in a folder."""

    def close(self) -> None:
        """Give back what it holds."""
