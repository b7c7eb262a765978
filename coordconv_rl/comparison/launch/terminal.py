"""What the terminal shows while runs go on: a live table, or plain lines without a terminal."""

from __future__ import annotations

import sys
import time
from collections import Counter
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from coordconv_rl.comparison.entries import STATUSES, Entry
from coordconv_rl.comparison.launch.active import Active
from coordconv_rl.comparison.launch.scheduler import Scheduler
from coordconv_rl.runs import duration

LIVE_SECONDS = 0.5
PLAIN_SECONDS = 30.0
LAYOUTS = (  # columns after run and progress, and the bar's width, the widest first
    (("step", "steps/s", "score", "left"), 24),
    (("steps/s", "score", "left"), 16),
    (("score", "left"), 12),
)
LEAST_NAME = 12  # characters of a run's name that are shown in any terminal
PIPE_WIDTH = 200  # characters of a table's line that no terminal limits


def wide_console() -> Console:
    """Return a console for tables, which no narrow default breaks where there is no terminal."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)


class Display:
    """Shows a scheduler's work; a context manager.

    Args:
        scheduler: What to show.
        console: Where to; the standard output if None.
    """

    def __init__(self, scheduler: Scheduler, console: Console | None = None) -> None:
        self._scheduler = scheduler
        self._console = console or Console(highlight=False)
        self._seen: dict[str, Entry] = dict(scheduler.ledger.entries)
        self._last = 0.0
        self._live: Live | None = None
        self._warned: set[str] = set()

    def __enter__(self) -> Display:
        if self._console.is_terminal:
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._say_changes()
        if self._live is not None:
            self._live.stop()

    def say(self, text: str) -> None:
        """Print a line, above the table if there is one."""
        self._console.print(text, soft_wrap=True, markup=False)

    def warn(self, text: str) -> None:
        """Print a line that may come again and again, once."""
        if text not in self._warned:
            self._warned.add(text)
            self.say(f"warning: {text}")

    def update(self) -> None:
        """Show what has changed; cheap when it is too early for that."""
        self._say_changes()
        wait = PLAIN_SECONDS if self._live is None else LIVE_SECONDS
        if time.monotonic() - self._last < wait:
            return
        self._last = time.monotonic()
        if self._live is not None:
            self._live.update(live_table(self._scheduler, self._console.width), refresh=True)
        elif self._scheduler.active:
            self.say(summary(self._scheduler))

    def _say_changes(self) -> None:
        for run, entry in self._scheduler.ledger.entries.items():
            if entry is not self._seen[run]:
                self._seen[run] = entry
                reason = f" ({entry.reason})" if entry.reason else ""
                again = f", attempt {entry.attempts}" if entry.attempts > 1 else ""
                self.say(f"{entry.status:8}{run}{again}{reason}")


def steps_per_second(active: Active) -> float:
    """A running run's environment steps a second; 0.0 before it says."""
    return float((active.record or {}).get("steps_per_second") or 0.0)


def seconds_left(scheduler: Scheduler) -> float | None:
    """Seconds of training left at the present speed, evaluations not counted; None if unknown."""
    total = sum(steps_per_second(active) for active in scheduler.active.values())
    if not total:
        return None
    waiting = sum(config.steps for config in scheduler.queue)
    running = sum(steps_left(active) for active in scheduler.active.values())
    return (waiting + running) / total


def steps_left(active: Active) -> int:
    """Environment steps that a running run still has to train."""
    return max(0, active.config.steps - int((active.record or {}).get("step", 0)))


def summary(scheduler: Scheduler) -> str:
    """One line on the whole experiment: counts, speed, time left."""
    counts: Counter[str] = Counter(entry.status for entry in scheduler.ledger.entries.values())
    parts = [f"{counts[status]} {status}" for status in STATUSES if counts[status]]
    total = sum(steps_per_second(active) for active in scheduler.active.values())
    left = duration(seconds_left(scheduler))
    return f"{', '.join(parts)}; {total:,.0f} steps a second; {left} left"


def live_table(scheduler: Scheduler, width: int) -> Group:
    """Every running run's progress, speed, score and time left, and the whole in a line.

    Args:
        scheduler: What to show.
        width: Columns of the terminal. Where they do not suffice, steps and speed are left out,
            then the runs' names are cut at their fronts; bar and time left stay.
    """
    cells = {run: _cells(active) for run, active in scheduler.active.items()}
    names, bar, room = _layout([len(run) for run in cells], list(cells.values()), width)
    table = Table(box=None, pad_edge=False)
    for name in ("run", "progress", *names):
        table.add_column(name, justify="left" if name in {"run", "progress"} else "right")
    for run, active in scheduler.active.items():
        done = active.config.steps - steps_left(active)
        table.add_row(
            run if len(run) <= room else "…" + run[len(run) - room + 1 :],
            ProgressBar(total=active.config.steps, completed=done, width=bar),
            *(cells[run][name] for name in names),
        )
    return Group(table, summary(scheduler))


def _cells(active: Active) -> dict[str, str]:
    """Say a running run's state as text, by the columns' names."""
    step = active.config.steps - steps_left(active)
    score = (active.record or {}).get("recent_score")
    rate = steps_per_second(active)
    left = duration(steps_left(active) / rate if rate else None)
    return {
        "step": f"{step:,}",
        "steps/s": f"{rate:,.0f}",
        "score": "-" if score is None else f"{score:,.1f}",
        "left": "evaluating" if step == active.config.steps else left,
    }


def _layout(
    runs: list[int], rows: list[dict[str, str]], width: int
) -> tuple[tuple[str, ...], int, int]:
    """Choose the columns after run and progress, the bar's width and that of a run's name."""
    longest = max(runs, default=0)
    for names, bar in LAYOUTS:
        needed = sum(2 + max([len(name), *(len(row[name]) for row in rows)]) for name in names)
        room = width - needed - 2 - max(bar, len("progress"))
        if longest <= room:
            break
    return names, bar, max(room, LEAST_NAME)
