"""The commands `arms` and `experiments`: what a comparison can be made of."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from coordconv_rl.arms import ARMS, CONVOLUTIONS, HEADS, Backbone, Head
from coordconv_rl.cli.parse import Command
from coordconv_rl.configs import experiment_names, load_experiment
from coordconv_rl.envs import resolve_games
from coordconv_rl.errors import OK

BACKBONE_WORDS: dict[Backbone, str] = {
    "nature": "Mnih et al. 2015, SB3's own",
    "impala": "Espeholt et al. 2018, the large one",
    "minatar": "Young and Tian 2019, MinAtar's own",
}
HEAD_WORDS: dict[Head, str] = {
    "flatten": "all of the last feature maps, as SB3",
    "pool": "each map's mean, which forgets where things are (arXiv 2503.05546)",
    "spatial-softmax": "each map's expected coordinates (Finn et al. 2016)",
}


@dataclass(frozen=True)
class ListArms(Command):
    """List arms, backbones and heads: what a network sees of coordinates."""

    def run(self) -> int:
        """Print the tables."""
        arms = Table(
            "arm",
            "what its network sees",
            title=f"{len(ARMS)} arms",
            caption="with a backbone or head behind it too, as coordconv-pool or cnn-impala-pool; "
            "in an experiment's file also a mapping, with an extractor of your own",
        )
        for name, arm in ARMS.items():
            arms.add_row(name, arm.summary)
        backbones = Table("backbone", "convolutions", "what it is", title="backbones")
        for backbone, total in CONVOLUTIONS.items():
            backbones.add_row(backbone, str(total), BACKBONE_WORDS[backbone])
        heads = Table("head", "what becomes of the last feature maps", title="heads")
        for head in HEADS:
            heads.add_row(head, HEAD_WORDS[head])
        Console(file=sys.stdout).print(arms, backbones, heads)
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
