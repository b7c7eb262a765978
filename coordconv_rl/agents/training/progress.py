"""What a person sees while one agent trains: a live bar in a terminal, else a line now and then."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from coordconv_rl.runs import duration

log = logging.getLogger(__name__)

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


class GamesProgress:
    """Says in the log now and then how many games are over, and how long the rest may take.

    Args:
        label: What the games are for.
        games: How many there are.
        already: How many were played before.
    """

    def __init__(self, label: str, games: int, already: int = 0) -> None:
        self._label = label
        self._games = games
        self._ended = already
        self._lengths: list[int] = []
        self._began = self._said = time.monotonic()
        how = f", {already} of them already" if already else ""
        log.info("%s: %d games%s", label, games, how)

    def end(self, frames: int) -> None:
        """Count a game that has ended after so many emulator frames."""
        self._ended += 1
        self._lengths.append(frames)

    def step(self, frames: int) -> None:
        """Note that so many frames were played in all games, those that go on too."""
        now = time.monotonic()
        if now - self._said < LINE_SECONDS:
            return
        self._said = now
        left = games_left_seconds(
            self._lengths, self._games - self._ended, frames, now - self._began
        )
        text = "%s: %d of %d games over, %s left"
        log.info(text, self._label, self._ended, self._games, duration(left))


def games_left_seconds(
    lengths: Sequence[int], left: int, frames: int, seconds: float
) -> float | None:
    """Guess how long the games that are left will take.

    Args:
        lengths: Frames of the games that are over.
        left: How many are not over.
        frames: Frames that were played, in games that go on too.
        seconds: How long that took.

    Returns:
        The time for games of the mean length so far, of which those that are left have at least a
        half before them, and at least half of what was played of them: longer than the mean, as a
        greedy agent's that stands still, they go on. None before the first game is over.
    """
    if not lengths or not frames:
        return None
    mean = sum(lengths) / len(lengths)
    expected = (len(lengths) + left) * mean - frames
    unfinished = frames - sum(lengths)
    return max(expected, left * mean / 2, unfinished / 2) * seconds / frames
