"""What a person sees while one agent trains: a live bar in a terminal, else a line now and then."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from coordconv_rl.runs import duration

LINE_SECONDS = 15.0  # between two lines where there is no terminal


class Progress:
    """Shows a run's environment steps, speed, recent score and time left.

    Args:
        label: The run's id.
        steps: Environment steps to train for.
        shown: False shows nothing.
    """

    def __init__(self, label: str, steps: int, *, shown: bool) -> None:
        self.label = label
        self.steps = steps
        self.console = Console(file=sys.stderr, quiet=not shown)
        self._shown_at = -LINE_SECONDS
        self._bar: Bar | None = None

    def __enter__(self) -> Progress:
        if self.console.is_terminal and not self.console.quiet:
            self._bar = Bar(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.completed:,.0f}/{task.total:,.0f} steps {task.fields[facts]}"),
                TimeElapsedColumn(),
                console=self.console,
            )
            self._task = self._bar.add_task(self.label, total=self.steps, facts="")
            self._bar.start()
        return self

    def update(self, step: int, speed: float, score: float | None) -> None:
        """Show where the run is.

        Args:
            step: Environment steps done.
            speed: Environment steps a second.
            score: Mean raw score of the last 100 full games, or None before the first.
        """
        left = (self.steps - step) / speed if speed > 0 else 0.0
        shown = "no game yet" if score is None else f"score {score:.1f}"
        facts = f"{speed:.0f} steps/s, {shown}, {duration(left)} left"
        if self._bar is not None:
            self._bar.update(self._task, completed=step, facts=facts)
        elif time.monotonic() - self._shown_at >= LINE_SECONDS:
            self._shown_at = time.monotonic()
            line = f"{self.label}: {step:,}/{self.steps:,} steps, {facts}"
            self.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
