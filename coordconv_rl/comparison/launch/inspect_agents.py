"""Inspections at the end of a comparison: each agent with coordinates, some at a time.

Each is what `coordconv-rl inspect RUN_FOLDER` does, in processes that inspect one agent after
another and need torch as nothing here does. A result that exists is not made again, so that an
interrupted comparison goes on where it was.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from coordconv_rl.comparison.launch.inspector import Inspector
from coordconv_rl.comparison.report import are, counted, inspectable
from coordconv_rl.comparison.results import Results, RunResult
from coordconv_rl.errors import OK
from coordconv_rl.locks import LockedError
from coordconv_rl.processes import serving_command
from coordconv_rl.runs import CHECKPOINTS_FOLDER, INSPECTION_FILE, describe_exit

INSPECT = ("inspect", "--episodes")  # what `coordconv-rl` is told
TRUSTING_INSPECT = ("inspect", "--trust-code", "--episodes")  # of the user's own code too
POLL_SECONDS = 0.1
MOST_GAMES = 5  # of each treatment: `coordconv-rl inspect RUN_FOLDER` plays more
LONGEST_SECONDS = 3600.0  # games are cut, so that only a process that hangs takes so long


@dataclass
class Running:
    """An inspection that goes on."""

    run: RunResult
    inspector: Inspector
    began: float


def uninspected(found: Results) -> list[RunResult]:
    """Return the finished runs of arms with coordinates that have no inspection of their end yet.

    Those of an export are left out: their checkpoints are elsewhere.
    """
    return [
        run
        for run in inspectable(found)
        if run.inspection is None and (run.folder / CHECKPOINTS_FOLDER).is_dir()
    ]


def inspect_missing(
    found: Results,
    console: Console,
    *,
    jobs: int,
    stop: Callable[[], bool],
    program: Sequence[str] | None = None,
    code: Path | None = None,
) -> bool:
    """Inspect what has no inspection yet; one that fails is named and fails nothing else.

    Args:
        found: The experiment.
        console: Where progress is shown.
        jobs: Inspections at a time.
        stop: Whether to stop; what goes on is then killed, and whole results stay.
        program: The command, by default one that serves `coordconv-rl inspect`, to which the
            number of games (the evaluation's, at most `MOST_GAMES`) is added.
        code: The folder from which it may import the user's own code; None for no such code.

    Returns:
        Whether it was asked to stop.
    """
    runs = uninspected(found)
    if not runs:
        return False
    games = min(found.experiment.evaluation.episodes, MOST_GAMES)
    words = INSPECT if code is None else TRUSTING_INSPECT
    command = (*(program or serving_command(*words, trusted=code)), str(games))
    console.print(f"Do the agents use their coordinates? {len(runs)} to inspect.")
    with _bar(console) as bar:
        task = bar.add_task("inspecting", total=len(runs))
        work = _Work(runs, command, found.experiment.threads, jobs)
        try:
            while work.left and not stop():
                for line in work.tick():
                    console.print(line, soft_wrap=True, markup=False)
                bar.update(task, completed=work.ended)
                time.sleep(POLL_SECONDS)
        finally:
            work.close()
    if work.left:
        console.print(f"Stopped: {counted(work.left, 'agent')} {are(work.left)} left to inspect.")
    return bool(work.left)


def _bar(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    disable = not console.is_terminal
    return Progress(*columns, TimeElapsedColumn(), console=console, transient=True, disable=disable)


class _Work:
    """The queue of agents and the processes that go on."""

    def __init__(
        self, runs: Sequence[RunResult], command: Sequence[str], threads: int, jobs: int
    ) -> None:
        self._queue = deque(runs)
        self._total = len(runs)
        self._idle = [Inspector(command, threads) for _ in range(min(jobs, len(runs)))]
        self._running: list[Running] = []

    @property
    def left(self) -> int:
        """How many are not ended."""
        return len(self._queue) + len(self._running)

    @property
    def ended(self) -> int:
        """How many are inspected or failed."""
        return self._total - self.left

    def tick(self) -> list[str]:
        """Look at every process, start others where there is room, and say what has ended."""
        lines = []
        for one in list(self._running):
            seconds = time.monotonic() - one.began
            if seconds > LONGEST_SECONDS:
                one.inspector.kill()
            code = one.inspector.poll()
            if code is not None:
                self._running.remove(one)
                self._idle.append(one.inspector)
                lines.append(f"{self.ended} of {self._total}: {_outcome(one.run, code, seconds)}")
        while self._queue and self._idle:
            run = self._queue.popleft()
            try:
                self._idle[-1].begin(run.folder)
            except LockedError as error:
                lines.append(f"{run.run_id} is not inspected: {error} works on it")
            except OSError as error:
                lines.append(f"{run.run_id} is not inspected: {error}")
            else:
                self._running.append(Running(run, self._idle.pop(), time.monotonic()))
        return lines

    def close(self) -> None:
        """End what goes on."""
        for inspector in (*self._idle, *(one.inspector for one in self._running)):
            inspector.close()


def _outcome(run: RunResult, code: int, seconds: float) -> str:
    if code == OK and (run.folder / INSPECTION_FILE).is_file():
        return f"{run.run_id} inspected in {seconds:.0f} s"
    return f"{run.run_id} is not inspected: {describe_exit(code, folder=run.folder)}"
