"""An experiment from its start, or from where it stopped, to its tables."""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from coordconv_rl.comparison.launch import closing
from coordconv_rl.comparison.launch.backend import Backend
from coordconv_rl.comparison.launch.estimate import estimate_cost
from coordconv_rl.comparison.launch.growth import plan_growth, take_up
from coordconv_rl.comparison.launch.ledger import Ledger
from coordconv_rl.comparison.launch.local import LocalBackend
from coordconv_rl.comparison.launch.options import LaunchOptions
from coordconv_rl.comparison.launch.scheduler import CannotGoOnError, Scheduler
from coordconv_rl.comparison.launch.terminal import Display
from coordconv_rl.comparison.tensorboard import Aggregates
from coordconv_rl.configs import ExperimentConfig, needs_code
from coordconv_rl.errors import FAILED, INTERRUPTED, OK, InputError, missing_extra
from coordconv_rl.files import is_no_room, refuse_links
from coordconv_rl.runs import WANDB_VARIABLE
from coordconv_rl.signals import stop_signals

TICK_SECONDS = 0.25


def run_comparison(
    experiment: ExperimentConfig,
    folder: Path,
    *,
    jobs: int | None,
    options: LaunchOptions,
    code: Path | None = None,
) -> int:
    """Run what is missing of an experiment, then print and write its tables and figures.

    Args:
        experiment: The experiment.
        folder: Its folder; made if missing.
        jobs: Runs at a time; as many as there are cores for if None.
        options: How to launch.
        code: The folder from which runs may import the user's own code; None for no such code.

    Returns:
        The exit code: 0, 130 after Ctrl-C, 1 if the disk is full or a run (a dry run's) failed.

    Raises:
        InputError: The folder holds another experiment or is in use, or an option makes no sense.
    """
    _check(jobs, options)
    backend = _backend(options, folder, code := _trusted(experiment, code))
    jobs = jobs or backend.slots(experiment.cores)
    measure_with = backend if options.backend == "local" else None
    try:
        refuse_links(folder)
        growth = plan_growth(folder, experiment)
        configs = growth.configs
        if options.dry_run:
            _say(f"{folder}: {(cost := estimate_cost(folder, configs, jobs, measure_with))}")
            return FAILED if cost.fails else OK
        _make(folder)
        with Ledger(folder) as ledger:
            take_up(folder, growth, ledger)
            _say(f"{folder}: {estimate_cost(folder, configs, jobs, measure_with)}")
            scheduler = Scheduler(
                folder, configs, ledger, backend, jobs=jobs,
                retries=options.retries, hang_seconds=60 * options.hang_minutes,
            )  # fmt: skip
            end = _work(scheduler, folder, options.wandb)
    except CannotGoOnError as error:
        _say(f"Stopping: {error}. Make room, then start it again: it goes on from there.")
        return FAILED
    finally:
        backend.close()
    inspectors = jobs if options.inspect and measure_with else 0
    return _close(folder, inspectors, code) if end == OK else end


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot write to {folder}: {error.strerror}") from error


def _trusted(experiment: ExperimentConfig, code: Path | None) -> Path | None:
    """Return the folder from which runs may import, if they do; None if they import nothing."""
    if not needs_code(experiment):
        return None
    if code is None:
        raise InputError(
            f"the experiment {experiment.name} imports code of somebody's own: name its file to "
            "coordconv-rl compare, and add --trust-code if the file came with a folder of results"
        )
    return code


def _close(folder: Path, inspectors: int, code: Path | None) -> int:
    try:
        return closing.close_comparison(folder, inspectors=inspectors, code=code)
    except OSError as error:
        if not is_no_room(error):
            raise
        _say(f"All runs are kept, but not the report: {error.strerror}. Make room, then again.")
        return FAILED


def _say(text: str) -> None:
    Console(highlight=False).print(text, soft_wrap=True, markup=False)


def _work(scheduler: Scheduler, folder: Path, wandb: str | None) -> int:
    """Run the scheduler to its end, or until a signal comes; return the exit code."""
    with (
        stop_signals() as signals,
        Display(scheduler) as display,
        _aggregates(folder) as aggregates,
        _on_wandb(wandb),
    ):
        try:
            while scheduler.left and not signals:
                scheduler.tick()
                _draw(aggregates, scheduler, display)
                display.update()
                time.sleep(TICK_SECONDS)
            _draw(aggregates, scheduler, display, now=True)
            if not signals:
                return OK
            display.say("Stopping: every run saves a checkpoint (once more kills them at once).")
        finally:
            scheduler.stop_all("stopped", hurry=lambda: len(signals) > 1)
        display.say(f"Stopped. To go on: coordconv-rl compare ... --folder {folder}")
        return INTERRUPTED


@contextmanager
def _on_wandb(project: str | None) -> Iterator[None]:
    """Have the runs that are started inside a `with` block, and only them, send to a project."""
    if project is not None:
        os.environ[WANDB_VARIABLE] = project  # the runs' processes inherit it
    try:
        yield
    finally:
        os.environ.pop(WANDB_VARIABLE, None)


def _aggregates(folder: Path) -> Aggregates:
    try:
        return Aggregates(folder)
    except OSError as error:
        raise CannotGoOnError(f"TensorBoard's files: {error.strerror}") from error


def _draw(
    aggregates: Aggregates, scheduler: Scheduler, display: Display, *, now: bool = False
) -> None:
    """Update TensorBoard's lines; a damaged file is told, but stops no other run."""
    try:
        aggregates.update(scheduler.active, now=now)
    except InputError as error:
        display.warn(str(error))
    except OSError as error:
        raise CannotGoOnError(f"TensorBoard's files: {error.strerror}") from error


def _check(jobs: int | None, options: LaunchOptions) -> None:
    """Refuse what makes no sense or needs a library that is missing."""
    if jobs is not None and jobs < 1:
        raise InputError(f"jobs is {jobs}: at least one run at a time is needed")
    if options.retries < 0:
        raise InputError(f"retries is {options.retries}: it must be 0 or more")
    if not options.hang_minutes > 0:
        raise InputError(f"hang_minutes is {options.hang_minutes}: it must be above 0")
    if options.address is not None and options.backend != "ray":
        raise InputError("an address needs the ray backend: add --backend ray")
    if options.wandb is not None and importlib.util.find_spec("wandb") is None:
        raise missing_extra("wandb", ImportError("--wandb needs a library that is missing"))
    if options.slurm and options.backend != "slurm":
        raise InputError("--slurm needs the slurm backend: add --backend slurm")


def _backend(options: LaunchOptions, folder: Path, code: Path | None) -> Backend:
    """Return the place where processes run; extras are imported only where they are wanted."""
    if options.backend == "local":
        return LocalBackend() if code is None else LocalBackend(code=code)
    try:
        if options.backend == "slurm":
            from coordconv_rl.comparison.launch.slurm_backend import SlurmBackend

            return SlurmBackend(folder, slurm_options(options.slurm), code=code)
        from coordconv_rl.comparison.launch.ray_backend import RayBackend
    except ImportError as error:
        raise InputError(f"{missing_extra(options.backend, error)}, or use local") from error
    return RayBackend(options.address, code=code)


def slurm_options(words: Sequence[str]) -> dict[str, str]:
    """Return what NAME=VALUE words say."""
    pairs = [word.partition("=") for word in words]
    for name, equals, value in pairs:
        if not (name.isidentifier() and equals and value):
            raise InputError(f"--slurm {name}{equals}{value}: write NAME=VALUE, as partition=gpu")
    return {name: value for name, _, value in pairs}
