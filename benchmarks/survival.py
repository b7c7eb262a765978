"""`python -m benchmarks.survival`: what is killed again and again ends as if it never was.

Trainings, evaluations, inspections, reports and exports are killed with SIGKILL at random moments
and started again, until the kills are used up; then they may end. Whatever they leave must be byte
for byte what is left without kills. So for `compare`, whose launcher and workers are killed.
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

import torch
import tyro
from rich.console import Console
from rich.table import Table

from benchmarks.checkpoints import checkpoint_costs, cost_table
from benchmarks.kill_subjects import (
    AFTER,
    GAMES,
    Subject,
    after_training,
    closing_evaluation,
    experiment,
    training,
)
from benchmarks.killing import Outcome, torture, torture_comparison
from benchmarks.output import header
from coordconv_rl.errors import InputError
from coordconv_rl.files import write_json_atomic

LAUNCHER_SHARE = 0.1  # of the kills, for `compare`: its processes start by themselves, in seconds


@dataclass(frozen=True)
class Options:
    """Kill runs at random moments, and measure what a checkpoint costs.

    Attributes:
        kills: SIGKILLs in all: a tenth for `compare`, the rest for single commands.
        steps: Environment steps of each training.
        seed: Seed of the moments.
        only: Words of which one must be in a subject's name; nothing for all.
        costs: Checkpoints to time; 0 for none.
        keep: A folder to work in that is kept, to look at what differs.
        json: A file for the results.
    """

    kills: int = 200
    steps: int = 1024
    seed: int = 0
    only: tuple[str, ...] = ()
    costs: int = 10
    keep: Path | None = None
    json: Path | None = None

    def asks_for(self, name: str) -> bool:
        """Return whether a subject of this name is wanted."""
        return not self.only or any(word in name for word in self.only)


def subjects(options: Options, folder: Path) -> list[Subject]:
    """Return what is killed, all but `compare`."""
    found = [training(algo, family, options.steps) for family in GAMES for algo in ("ppo", "a2c")]
    found += [training("ppo", "Atari", options.steps, workers=2)]
    found += [closing_evaluation("Atari", 6), closing_evaluation("MinAtar", 40)]
    if any(map(options.asks_for, AFTER)):
        found += after_training(folder)
    return [one for one in found if options.asks_for(one.name)]


def survive(options: Options, console: Console, folder: Path) -> list[Outcome]:
    """Kill, go on and compare; say what came of it as it comes."""
    moments = random.Random(options.seed)
    chosen = subjects(options, folder)
    launcher = round(options.kills * LAUNCHER_SHARE) if options.asks_for("compare") else 0
    if not chosen:
        launcher = options.kills
    single = options.kills - launcher
    outcomes: list[Outcome] = []
    for place, subject in enumerate(chosen):
        kills = single * (place + 1) // len(chosen) - single * place // len(chosen)
        outcomes.append(torture(subject, folder / subject.name, kills, moments))
        console.print(_line(outcomes[-1]))
    if launcher:
        config = experiment(GAMES["MinAtar"], 4 * options.steps)
        outcomes += torture_comparison(config, folder / "compare", launcher, moments)
        console.print(*map(_line, outcomes[-2:]), sep="\n")
    return outcomes


def _line(outcome: Outcome) -> str:
    end = "equal" if outcome.equal else f"different: {outcome.difference}"
    return f"{outcome.name}: {outcome.survived} of {outcome.kills} survived; {end}"


def table(outcomes: list[Outcome]) -> Table:
    """Return the outcomes as a table."""
    shown = Table("command", title="SIGKILL at random moments", title_justify="left")
    for heading in ("kills", "survived", "within a file", "equal"):
        shown.add_column(heading, justify="right")
    for row in outcomes:
        numbers = (row.kills, row.survived, row.halves)
        shown.add_row(row.name, *map(str, numbers), "yes" if row.equal else row.difference)
    keys = ("kills", "survived", "halves")
    total = [sum(getattr(row, key) for row in outcomes) for key in keys]
    shown.add_row("all", *map(str, total), "yes" if all_equal(outcomes) else "no")
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
    torch.set_num_threads(1)  # before any fork: threads do not live on in one
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
