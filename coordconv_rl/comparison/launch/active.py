"""A run that has a process, and whether it makes progress."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from coordconv_rl.comparison.launch.backend import Worker
from coordconv_rl.configs import RunConfig


@dataclass
class Active:
    """A run that has a process.

    Attributes:
        config: The run.
        worker: Its process.
        record: What its `run.json` said last.
    """

    config: RunConfig
    worker: Worker
    record: dict[str, Any] | None = None
    _stamp: object = None
    _progressed: float = field(default_factory=time.monotonic)

    def note(self, record: dict[str, Any] | None) -> None:
        """Take up what the run says of itself now; None where it says nothing.

        Any change of step, status or `updated` is progress, so a run that only says that it lives,
        as while it plays its evaluation, does not hang; a stopped process says nothing. A worker
        that waits for room cannot hang.
        """
        self.record = record or self.record
        known = self.record or {}
        stamp = (known.get("step"), known.get("status"), known.get("updated"))
        if stamp != self._stamp or self.worker.pid is None:
            self._stamp, self._progressed = stamp, time.monotonic()

    @property
    def silence(self) -> float:
        """Seconds without progress."""
        return time.monotonic() - self._progressed
