"""Commands about many agents, studies and games."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from coordconv_rl.errors import InputError


@dataclass(frozen=True)
class Compare:
    """Compare arms across games and seeds; called again, it does only what is missing.

    Attributes:
        experiment: An experiment's name (quick, atari-10) or YAML file.
        folder: Where it is kept (default runs/EXPERIMENT).
        jobs: Runs at a time (default: the cores).
        steps: Environment steps of each run, instead of the experiment's.
        retries: How often a run that died is started again from its checkpoint.
        hang_minutes: Minutes without progress after which a run counts as hanging.
        backend: local processes, or a Ray cluster (needs the extra `ray`).
        address: The Ray cluster's address (default: a local one).
        no_inspect: Do not ask at the end whether the agents use their coordinates.
        status: Print the ledger of runs and stop.
    """

    experiment: tyro.conf.Positional[str] = "quick"
    folder: Path | None = None
    jobs: int | None = None
    steps: int | None = None
    retries: int = 2
    hang_minutes: float = 30.0
    backend: Literal["local", "ray"] = "local"
    address: str | None = None
    no_inspect: tyro.conf.FlagCreatePairsOff[bool] = False
    status: tyro.conf.FlagCreatePairsOff[bool] = False

    def run(self) -> int:
        """Run the command and return its exit code."""
        from coordconv_rl.comparison.launch import LaunchOptions, print_status, run_comparison
        from coordconv_rl.configs import load_experiment

        config = load_experiment(
            self.experiment, None if self.steps is None else {"steps": self.steps}
        )
        where = Path("runs", config.name) if self.folder is None else self.folder
        if self.status:
            return print_status(where)
        if self.jobs is not None and self.jobs < 1:
            raise InputError(f"jobs is {self.jobs}: run at least 1 at a time")
        if self.address is not None and self.backend != "ray":
            raise InputError("--address needs --backend ray")
        options = LaunchOptions(
            retries=self.retries,
            backend=self.backend,
            address=self.address,
            hang_minutes=self.hang_minutes,
            inspect=not self.no_inspect,
        )
        return run_comparison(config, where, jobs=self.jobs, options=options)


@dataclass(frozen=True)
class Report:
    """Write the report of a comparison: one HTML page, Markdown, CSV and figures.

    Attributes:
        folder: The experiment's folder; it may still be running.
    """

    folder: tyro.conf.Positional[Path]

    def run(self) -> int:
        """Run the command and return its exit code."""
        from coordconv_rl.comparison.report import write_report

        print(write_report(self.folder))
        return 0


@dataclass(frozen=True)
class Tensorboard:
    """Show a comparison in TensorBoard, on the loopback address.

    Attributes:
        folder: The experiment's folder; it may still be running.
        port: The port to listen on; 0 takes any free one.
    """

    folder: tyro.conf.Positional[Path] = Path("runs/quick")
    port: int = 6006

    def run(self) -> int:
        """Run the command and return its exit code."""
        from coordconv_rl.comparison.tensorboard import serve

        return serve(self.folder, self.port)


@dataclass(frozen=True)
class Study:
    """Run one of the paper's supervised tasks: CoordConv against convolution.

    Attributes:
        name: coordinate-classification, coordinate-regression, rendering or translation.
        split: Which positions are held out.
        seeds: How many seeds, counted from 0.
        budget: Minutes for the baselines (default: the study's own).
        full: Run the paper's whole grid of baselines.
        folder: Where it is kept (default runs/studies/NAME).
        threads: Trainings at a time, one thread each (default: the cores).
    """

    name: tyro.conf.Positional[str]
    split: Literal["uniform", "quadrant", "both"] = "both"
    seeds: int = 5
    budget: float | None = None
    full: tyro.conf.FlagCreatePairsOff[bool] = False
    folder: Path | None = None
    threads: int | None = None

    def run(self) -> int:
        """Run the command and return its exit code."""
        from coordconv_rl.studies import StudyOptions, run_study

        options = StudyOptions(
            seeds=self.seeds,
            budget=self.budget,
            full=self.full,
            folder=self.folder,
            split=self.split,
            threads=self.threads,
        )
        return run_study(self.name, options=options)


@dataclass(frozen=True)
class Games:
    """List the games with their reference scores.

    Attributes:
        suite: Only this suite: atari-5, atari-10, atari-26 or atari-57.
    """

    suite: str | None = None

    def run(self) -> int:
        """Run the command and return its exit code."""
        from rich.console import Console

        from coordconv_rl.cli.games import games_table

        Console(file=sys.stdout).print(games_table(self.suite))
        return 0
