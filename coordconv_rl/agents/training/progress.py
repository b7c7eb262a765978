"""What a person sees while one agent trains: a live bar in a terminal, else a line now and then."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from coordconv_rl.runs import duration

LINE_SECONDS = 15.0  # between two lines where there is no terminal
BAR_WIDTH = 12  # columns that the bar keeps in a narrow terminal


class Progress:
    """Shows a run's environment steps, speed, recent score and time left; a context manager.

    Args:
        label: The run's id.
        steps: Environment steps to train for.
        shown: False shows nothing.
        console: Where to; the standard error if None.
    """

    def __init__(
        self, label: str, steps: int, *, shown: bool, console: Console | None = None
    ) -> None:
        self.label = label
        self.steps = steps
        self.console = console or Console(file=sys.stderr, quiet=not shown)
        self._shown_at = -LINE_SECONDS
        self._bar: Bar | None = None

    def __enter__(self) -> Progress:
        if self.console.is_terminal and not self.console.quiet:
            self.console.print(self.label, markup=False, highlight=False)
            self._bar = Bar(
                BarColumn(bar_width=None),
                TextColumn("{task.fields[facts]}", markup=False),
                console=self.console,
                expand=True,
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
        if self._bar is not None:
            room = self.console.width - BAR_WIDTH - 1
            facts = fitting_facts(room, step, self.steps, speed, score)
            self._bar.update(self._task, completed=step, facts=facts)
        elif time.monotonic() - self._shown_at >= LINE_SECONDS:
            self._shown_at = time.monotonic()
            line = f"{self.label}: {fitting_facts(10_000, step, self.steps, speed, score)}"
            self.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()


def fitting_facts(room: int, step: int, steps: int, speed: float, score: float | None) -> str:
    """Return as much of a run's state as has room: the share done and the time left always.

    Args:
        room: Characters.
        step: Environment steps done.
        steps: Environment steps to do.
        speed: Environment steps a second.
        score: Mean raw score of the last 100 full games, or None before the first.
    """
    left = f"{duration((steps - step) / speed if speed > 0 else None)} left"
    pace = f"{speed:,.0f} steps/s"
    shown = "no game yet" if score is None else f"score {score:,.1f}"
    share = f"{step / steps:.0%}"
    for facts in (
        (f"{step:,}/{steps:,} steps", pace, shown, left),
        (share, pace, shown, left),
        (share, shown, left),
    ):
        text = ", ".join(facts)
        if len(text) <= room:
            return text
    return f"{share}, {left}"
