"""Real training commands, one or several at once, timed by their own logs.

Both sides log once an iteration, at the same phase of it, so the rate between a first and a last
log line is steady: imports, the first iteration and the end are left out.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from benchmarks.remote import Failed, environment, own_environment, tail
from benchmarks.stopping import kill, undisturbed

ENDLESS = 100_000_000  # environment steps; we end the processes ourselves
START_SECONDS = 300  # the most until every process has trained for an iteration
POLL_SECONDS = 0.1
TOTAL = re.compile(rb"total_timesteps\s*\|\s*(\d+)")

Point = tuple[float, int]  # seconds since the epoch, environment steps


class Run(ABC):
    """One training process.

    Args:
        command: What to start.
        folder: An empty folder for it.
        variables: Its environment variables.
    """

    def __init__(self, command: list[str], folder: Path, variables: dict[str, str]) -> None:
        self.log = folder / "benchmark.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command],
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=folder,
                env=variables,
                start_new_session=True,
            )
        assert self.process.stdout is not None
        self._reader = threading.Thread(target=self.read, args=(self.process.stdout,), daemon=True)
        self._reader.start()

    @abstractmethod
    def read(self, stream: IO[bytes]) -> None:
        """Read what the process prints until it ends."""

    @abstractmethod
    def iterations(self) -> int:
        """Return how many iterations the process has surely begun."""

    @abstractmethod
    def points(self) -> list[Point]:
        """Return the logged points, after the end."""

    def check(self) -> None:
        """Raise `Failed` if the process has ended by itself."""
        code = self.process.poll()
        if code is not None:
            raise Failed(f"training ended with code {code}: {tail(self.log)}")

    def end(self) -> None:
        """Ask the process to end, and read the rest of its output."""
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(60)
        self.kill()

    def kill(self) -> None:
        """End the process with its children, if it lives."""
        with undisturbed():
            kill(self.process)
            self._reader.join()


class OurRun(Run):
    """`python -m coordconv_rl train`, timed by its TensorBoard events."""

    def __init__(self, spec: dict[str, Any], folder: Path, seed: int) -> None:
        self._folder = folder / "run"
        self._rollout = spec["rollout"]
        words = ["train", "--algo", spec["algo"], "--game", spec["game"], "--arm", spec["arm"]]
        words += ["--precision", spec["precision"], "--threads", str(spec["threads"])]
        words += ["--workers", str(spec["workers"]), "--steps", str(ENDLESS)]
        words += ["--seed", str(seed), "--folder", str(self._folder)]
        super().__init__(["coordconv_rl", *words], folder, own_environment(spec["threads"]))

    def read(self, stream: IO[bytes]) -> None:
        """Pass over what it prints."""
        for _ in stream:
            pass

    def iterations(self) -> int:
        """Return how many rollouts `run.json` tells of."""
        path = self._folder / "run.json"
        step = json.loads(path.read_text(encoding="utf-8")).get("step", 0) if path.is_file() else 0
        return int(step) // self._rollout

    def points(self) -> list[Point]:
        """Return the times and steps of one scalar in TensorBoard."""
        from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

        found: dict[int, float] = {}
        for path in self._folder.glob("events.out.tfevents.*"):
            for event in EventFileLoader(str(path)).Load():
                for value in event.summary.value:
                    if value.tag.startswith("train/"):
                        found.setdefault(event.step, event.wall_time)
        return sorted((when, step) for step, when in found.items())


class ZooRun(Run):
    """`python -m rl_zoo3.train`, timed by the tables that it prints."""

    def __init__(self, spec: dict[str, Any], folder: Path, seed: int) -> None:
        self._points: list[Point] = []
        words = ["--algo", spec["algo"], "--env", f"{spec['game']}NoFrameskip-v4"]
        words += ["-n", str(ENDLESS), "--seed", str(seed), "--device", "cpu"]
        words += ["--eval-freq", "-1", "--log-folder", str(folder / "logs")]
        words += ["--vec-env", spec["maker"].removeprefix("zoo-")]
        if spec["threads"] is not None:
            words += ["--num-threads", str(spec["threads"])]
        super().__init__(["rl_zoo3.train", *words], folder, environment(spec["threads"]))

    def read(self, stream: IO[bytes]) -> None:
        """Note when each table arrives."""
        for line in stream:
            found = TOTAL.search(line)
            if found:
                self._points.append((time.time(), int(found.group(1))))

    def iterations(self) -> int:
        """Return the number of tables so far."""
        return len(self._points)

    def points(self) -> list[Point]:
        """Return when each table came, and its steps; the first one precedes all training."""
        return self._points[1:]


def measure_runs(spec: dict[str, Any], seconds: float) -> float:
    """Return the environment steps a second of all runs together.

    Args:
        spec: See `specs.process_spec`.
        seconds: Length of the window, after every run has finished an iteration.

    Raises:
        Failed: A run ended, or none of its iterations fell into the window.
    """
    kind = OurRun if spec["maker"] == "ours" else ZooRun
    with ExitStack() as stack:
        runs: list[Run] = []
        for seed in range(spec["runs"]):
            with undisturbed():
                folder = tempfile.TemporaryDirectory(prefix="benchmark-run-")
                stack.callback(_remove, folder)
                runs.append(kind(spec, Path(folder.name), seed))
                stack.callback(runs[-1].kill)
        _wait(runs, [2] * len(runs), 0.0)
        _wait(runs, [run.iterations() + 2 for run in runs], seconds)
        for run in runs:
            run.end()
        return joint_rate([run.points() for run in runs])


def _remove(folder: tempfile.TemporaryDirectory[str]) -> None:
    with undisturbed():
        folder.cleanup()


def _wait(runs: list[Run], iterations: list[int], seconds: float) -> None:
    """Wait until every run has begun so many iterations and the seconds have gone by."""
    began = time.monotonic()
    while True:
        elapsed = time.monotonic() - began
        waiting = any(run.iterations() < n for run, n in zip(runs, iterations, strict=True))
        if not waiting and elapsed >= seconds:
            return
        if elapsed > START_SECONDS + seconds:
            raise Failed(f"no progress in {elapsed:.0f} seconds")
        for run in runs:
            run.check()
        time.sleep(POLL_SECONDS)


def joint_rate(logs: list[list[Point]]) -> float:
    """Return the sum of the runs' rates, each over its points while all runs train.

    Raises:
        Failed: A run has fewer than two points there.
    """
    if not all(logs):
        raise Failed("a run logged nothing")
    start, end = max(log[0][0] for log in logs), min(log[-1][0] for log in logs)
    total = 0.0
    for log in logs:
        inside = [point for point in log if start <= point[0] <= end]
        if len(inside) < 2:
            raise Failed("too few iterations while all runs train: give more --seconds")
        (first, before), (last, after) = inside[0], inside[-1]
        total += (after - before) / (last - first)
    return total
