"""The commands `arms` and `experiments`: what a comparison can be made of."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from coordconv_rl.arms import ARMS
from coordconv_rl.cli.parse import Command
from coordconv_rl.configs import experiment_names, load_experiment
from coordconv_rl.envs import resolve_games
from coordconv_rl.errors import OK


@dataclass(frozen=True)
class ListArms(Command):
    """List the arms: what an agent's network sees of coordinates."""

    def run(self) -> int:
        """Print the table."""
        table = Table("arm", "what its network sees", title=f"{len(ARMS)} arms")
        for name, arm in ARMS.items():
            table.add_row(name, arm.summary)
        Console(file=sys.stdout).print(table)
        return OK


@dataclass(frozen=True)
class ListExperiments(Command):
    """List the experiments that come with the package, for `coordconv-rl compare`."""

    def run(self) -> int:
        """Print the table."""
        Console(file=sys.stdout).print(experiments_table())
        return OK


def experiments_table() -> Table:
    """Return a table of the experiments: what each is for, and how many runs and steps it takes."""
    names = experiment_names()
    table = Table(
        "experiment",
        "what it is for",
        "runs",
        "steps of each",
        title=f"{len(names)} experiments; a YAML file of your own is one too",
        caption="runs: algorithms x games x arms x seeds; all settings: "
        "coordconv-rl compare NAME --help",
    )
    for column in table.columns[2:]:
        column.justify = "right"
    for name in names:
        found = load_experiment(name)
        games = resolve_games(found.games, found.suite, found.environments)
        factors = [len(values) for values in (found.algos, games, found.arms, found.seeds)]
        runs = f"{' x '.join(map(str, factors))}"
        table.add_row(name, found.description, runs, f"{found.steps:,}", end_section=True)
    return table
