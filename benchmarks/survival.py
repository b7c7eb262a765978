"""`python -m benchmarks.survival`: runs that are killed again and again end as if they never were.

Short real runs are killed with SIGKILL at random moments and started again, until the kills are
used up; then they may end. Whatever they leave must be byte for byte what a run leaves that was
never killed. So for single runs, and for `compare`, whose launcher and workers are killed in turn.
"""

from __future__ import annotations

import contextlib
import dataclasses
import random
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro
from rich.console import Console
from rich.table import Table

from benchmarks.checkpoints import checkpoint_costs, cost_table
from benchmarks.killing import Outcome, torture_comparison, torture_run
from benchmarks.output import header
from coordconv_rl.configs.load import preset
from coordconv_rl.configs.schema import Evaluation, ExperimentConfig, RunConfig
from coordconv_rl.errors import InputError
from coordconv_rl.files import write_json_atomic

CHECKPOINT_MINUTES = 0.005  # a checkpoint every third of a second, so that kills fall into some
SETTINGS: dict[str, dict[str, Any]] = {
    "a2c": {"n_envs": 4},
    "ppo": {"n_envs": 4, "n_steps": 64, "batch_size": 64},
}


@dataclass(frozen=True)
class Options:
    """Kill runs at random moments, and measure what a checkpoint costs.

    Attributes:
        kills: SIGKILLs in all: a fifth for `compare`, the rest for single runs.
        steps: Environment steps of each run.
        seed: Seed of the moments.
        costs: Checkpoints to time; 0 for none.
        keep: A folder to work in that is kept, to look at what differs.
        json: A file for the results.
    """

    kills: int = 40
    steps: int = 4096
    seed: int = 0
    costs: int = 10
    keep: Path | None = None
    json: Path | None = None


def run_config(algo: str, workers: int, steps: int) -> RunConfig:
    """Return one of the runs that are killed."""
    return RunConfig(
        algo="a2c" if algo == "a2c" else "ppo",
        game="Breakout",
        arm="coordconv",
        seed=7,
        steps=steps,
        hyperparameters=preset(algo, SETTINGS[algo]),
        workers=workers,
        checkpoint_minutes=CHECKPOINT_MINUTES,
        evaluation=Evaluation(episodes=1, greedy=False),
    )


def experiment(steps: int) -> ExperimentConfig:
    """Return the comparison whose launcher and workers are killed: four runs, two at a time."""
    return ExperimentConfig(
        name="survival",
        description="Killed again and again",
        algos=("a2c", "ppo"),
        arms=("cnn", "coordconv"),
        games=("Breakout",),
        seeds=(7,),
        steps=steps,
        overrides=SETTINGS,
        checkpoint_minutes=CHECKPOINT_MINUTES,
        evaluation=Evaluation(episodes=1, greedy=False),
    )


def survive(options: Options, console: Console, folder: Path) -> list[Outcome]:
    """Kill, resume and compare; show the table as it grows."""
    moments = random.Random(options.seed)
    cells = [(algo, workers) for algo in ("a2c", "ppo") for workers in (0, 2)]
    launcher = options.kills // 5
    outcomes: list[Outcome] = []
    for i, (algo, workers) in enumerate(cells):
        name = f"{algo}, workers={workers}"
        kills = (options.kills - launcher) * (i + 1) // 4 - (options.kills - launcher) * i // 4
        with console.status(f"{name}: {kills} kills"):
            config = run_config(algo, workers, options.steps)
            outcomes.append(torture_run(name, config, folder / name, kills, moments))
        last = outcomes[-1]
        end = "equal" if last.equal else f"different: {last.difference}"
        console.print(f"{name}: {last.survived} of {last.kills} survived; {end}")
    if launcher:
        with console.status(f"compare: {launcher} kills"):
            config_of_all = experiment(options.steps)
            outcomes += torture_comparison(config_of_all, folder / "compare", launcher, moments)
    return outcomes


def table(outcomes: list[Outcome]) -> Table:
    """Return the outcomes as a table."""
    shown = Table("configuration", title="SIGKILL at random moments", title_justify="left")
    for heading in ("kills", "survived", "within a checkpoint", "before the first", "equal"):
        shown.add_column(heading, justify="right")
    for row in outcomes:
        numbers = (row.kills, row.survived, row.halves, row.early)
        shown.add_row(row.name, *map(str, numbers), "yes" if row.equal else row.difference)
    total = [sum(getattr(row, key) for row in outcomes) for key in ("kills", "survived")]
    shown.add_row("all", *map(str, total), "", "", "yes" if all_equal(outcomes) else "no")
    return shown


def all_equal(outcomes: list[Outcome]) -> bool:
    """Return whether nothing differs."""
    return all(row.equal and row.survived == row.kills for row in outcomes)


@contextlib.contextmanager
def workplace(keep: Path | None) -> Iterator[Path]:
    """Yield a new folder, removed at the end unless it is to be kept."""
    if keep is not None:
        keep.mkdir(parents=True)
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="survival-") as folder:
        yield Path(folder)


def main() -> int:
    """Run the command; return 1 if anything differs, 2 for options that make no sense."""
    options, console = tyro.cli(Options), Console()
    plain = {k: str(v) if isinstance(v, Path) else v for k, v in vars(options).items()}
    report = header(plain, 0)
    try:
        if options.kills < 0 or options.steps < 256 or options.costs < 0:
            raise InputError("kills and costs must be 0 or more, and steps at least 256")
        if options.keep is not None and options.keep.exists():
            raise InputError(f"{options.keep} exists: give --keep the name of a new folder")
        with workplace(options.keep) as folder:
            outcomes = survive(options, console, folder) if options.kills else []
            costs = checkpoint_costs(options.costs, folder) if options.costs else []
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    if outcomes:
        console.print(table(outcomes))
    if costs:
        console.print(cost_table(costs))
    report |= {"survival": [dataclasses.asdict(row) for row in outcomes], "costs": costs}
    if options.json:
        write_json_atomic(options.json, report)
    return int(not all_equal(outcomes))


if __name__ == "__main__":
    sys.exit(main())
