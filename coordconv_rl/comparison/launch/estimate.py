"""What the missing runs of a comparison cost: steps, cores, hours and disk, in one line.

The speed comes from the folder's own runs; where an algorithm has none, one run trains for ten
seconds in a folder of its own, which is then removed. Closing games are not in it.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from coordconv_rl.comparison.launch.backend import Backend
from coordconv_rl.comparison.report import counted
from coordconv_rl.configs import Evaluation, RunConfig
from coordconv_rl.runs import (
    CHECKPOINTS_FOLDER,
    duration,
    is_finished,
    last_error,
    peek_record,
    prepare_run,
)

log = logging.getLogger(__name__)

MEASURE_SECONDS = 10.0
PATIENCE_SECONDS = 120.0  # for a process's first step
MEASURE_LOOK_SECONDS = 0.05
CHECKPOINT_BYTES = 21_000_000  # of the Nature network with PPO: weights and Adam's two moments
USUAL_SIDE = 7  # of the last feature maps; their linear layer has nearly all of the weights
CHECKPOINTS = 2  # that a finished run keeps: the last and the best


class RunFailsError(Exception):
    """A run that was to tell its speed ended in an error."""


@dataclass(frozen=True)
class Cost:
    """What the missing runs of a comparison cost.

    Attributes:
        runs: How many are missing.
        planned: How many there are.
        steps: Environment steps left to train.
        jobs: Runs at a time.
        cores: Cores that each keeps busy.
        seconds: Seconds of training of all of them, one after the other; None if unknown.
        source: Where the speed comes from.
        disk: Bytes that they will need.
        free: Bytes that the disk has.
        fails: Whether a run was tried and ended in an error, which the log names.
    """

    runs: int
    planned: int
    steps: int
    jobs: int
    cores: int
    seconds: float | None
    source: str
    disk: int
    free: int
    fails: bool = False

    def __str__(self) -> str:
        """The line that is printed before every start."""
        line = f"{self.runs} of {counted(self.planned, 'run')} to do"
        if not self.runs:
            return line
        busy = min(self.jobs, self.runs)
        line += f": {self.steps:,} steps, {busy} at a time on {counted(busy * self.cores, 'core')}"
        if self.seconds is None:
            line += "; hours unknown until runs go on"
        else:
            hours = self.seconds * self.cores / 3600
            line += f"; {hours:,.3g} core-hours, {duration(self.seconds / busy)} ({self.source})"
        line += f"; {_bytes(self.disk)} of disk, {_bytes(self.free)} are free"
        return line + (": MAKE ROOM FIRST" if self.disk > self.free else "")


def _bytes(count: int) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 10**8 else f"{count / 1e6:,.1f} MB"


def estimate_cost(
    folder: Path, configs: Sequence[RunConfig], jobs: int, measure_with: Backend | None
) -> Cost:
    """Estimate what the missing runs of a comparison cost.

    Args:
        folder: The experiment's folder; it need not exist.
        configs: All planned runs.
        jobs: Runs at a time.
        measure_with: Where to measure the speed of algorithms without own runs; None not to.
    """
    missing = [config for config in configs if not is_finished(folder, config)]
    left = Counter[str]()
    for config in missing:
        trained = int((peek_record(folder / config.run_id) or {}).get("step", 0))
        left[config.algo] += max(0, config.steps - trained)
    speeds, sizes = own_runs(folder, configs)
    source, fails = "as fast as this folder's own runs", False
    for algo in sorted(left.keys() - speeds.keys()):
        if measure_with is None:
            break
        first = next(config for config in missing if config.algo == algo)
        try:
            speed = measure_speed(first, measure_with)
        except RunFailsError as error:
            log.warning("%s", error)
            fails = True
            continue
        if speed is not None:
            speeds[algo] = speed
            source = f"from {MEASURE_SECONDS:.0f} seconds of one run alone on this machine"
    known = left.keys() <= speeds.keys()
    size = median(sizes) if sizes else CHECKPOINTS * _checkpoint_bytes(configs)
    return Cost(
        runs=len(missing),
        planned=len(configs),
        steps=left.total(),
        jobs=jobs,
        cores=max(config.cores for config in configs),
        seconds=sum(steps / speeds[algo] for algo, steps in left.items()) if known else None,
        source=source,
        disk=round(size * len(missing)),
        free=shutil.disk_usage(_existing(folder)).free,
        fails=fails,
    )


def _checkpoint_bytes(configs: Sequence[RunConfig]) -> int:
    """Return the bytes of a checkpoint of the Nature network, with images as large as theirs."""
    side = max(config.screen_size for config in configs)
    for kernel, stride in ((8, 4), (4, 2), (3, 1)):
        side = max(1, (side - kernel) // stride + 1)
    return CHECKPOINT_BYTES * max(1, side**2 // USUAL_SIDE**2)


def own_runs(folder: Path, configs: Sequence[RunConfig]) -> tuple[dict[str, float], list[int]]:
    """Return steps a second by algorithm, and finished runs' bytes, of a folder's runs.

    Runs of an export are small for want of their checkpoints, and say nothing of others' bytes.
    """
    speeds: dict[str, list[float]] = {}
    sizes = []
    for config in configs:
        path = folder / config.run_id
        record: Mapping[str, object] = peek_record(path) or {}
        speed = record.get("steps_per_second")
        if isinstance(speed, int | float) and speed > 0:
            speeds.setdefault(config.algo, []).append(float(speed))
        if record.get("status") == "done" and (path / CHECKPOINTS_FOLDER).is_dir():
            sizes.append(sum(file.lstat().st_size for file in path.rglob("*")))
    return {algo: median(values) for algo, values in speeds.items()}, sizes


def measure_speed(config: RunConfig, backend: Backend) -> float | None:
    """Train a run for some seconds in a temporary folder, and return its steps a second.

    Returns:
        None if the run does not train, as when it is killed.

    Raises:
        RunFailsError: It says that it cannot, as all others then will for the same reason.
    """
    with tempfile.TemporaryDirectory(prefix="coordconv-rl-measure-") as name:
        folder = Path(name) / "run"
        prepare_run(folder, replace(config, evaluation=Evaluation(episodes=0)))
        worker = backend.start(folder, config)
        try:
            began: tuple[float, int] | None = None
            deadline = time.monotonic() + PATIENCE_SECONDS
            while worker.poll() is None and time.monotonic() < deadline:
                time.sleep(MEASURE_LOOK_SECONDS)
                step = int((peek_record(folder) or {}).get("step", 0))
                if step and began is None:  # from here on: starting Python is no training
                    began = (time.monotonic(), step)
                    deadline = time.monotonic() + MEASURE_SECONDS
            seconds, steps = (time.monotonic() - began[0], step - began[1]) if began else (0.0, 0)
            code = worker.poll()
        finally:
            worker.kill()
        record = peek_record(folder) or {}
        if code and (reason := record.get("reason") or last_error(folder)):
            raise RunFailsError(f"{config.run_id} fails: {reason}")
        return steps / seconds if steps else _last_speed(record)


def _last_speed(record: Mapping[str, object]) -> float | None:
    """Return the speed that a run says itself, as one that ended before anybody looked twice."""
    speed = record.get("steps_per_second")
    return float(speed) if isinstance(speed, int | float) and speed > 0 else None


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.absolute().parents) if path.exists())
