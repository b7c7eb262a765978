"""The command `games`: the games, their suites and reference scores."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Annotated

import tyro
from rich.console import Console
from rich.table import Table

from coordconv_rl.cli.parse import Command
from coordconv_rl.configs import SuiteName
from coordconv_rl.envs import GAMES, MINATAR_GAMES, SUITES, TINY_RANGE_GAMES, reference_scores
from coordconv_rl.errors import OK, unknown


@dataclass(frozen=True)
class ListGames(Command):
    """List the games with their reference scores.

    Attributes:
        suite: Only the games of this suite.
    """

    suite: Annotated[SuiteName | None, tyro.conf.arg(help_behavior_hint="(default: all games)")] = (
        None
    )

    def run(self) -> int:
        """Print the table."""
        Console(file=sys.stdout).print(reference_table(self.suite))
        return OK


def reference_table(suite: str | None = None) -> Table:
    """Return a table of games, their suites and reference scores.

    Args:
        suite: Only this suite's games; None lists all.

    Raises:
        InputError: The suite does not exist.
    """
    if suite is not None and suite not in SUITES:
        raise unknown("suite", suite, SUITES)
    names = (*GAMES, *MINATAR_GAMES) if suite is None else SUITES[suite]
    references = reference_scores()
    table = Table(
        "game",
        "suites",
        *("random", "human", "A2C 10M", "PPO 10M"),
        title=f"{len(names)} games, and any Gymnasium id; raw scores, no sticky actions",
        caption="random, human: google-deepmind/dqn_zoo; A2C, PPO: RL Zoo, one run each; "
        "* tiny range between random and human: look at raw scores",
    )
    for column in table.columns[2:]:
        column.justify = "right"
    for name in names:
        inside = ", ".join(key.removeprefix("atari-") for key in SUITES if name in SUITES[key])
        found = references.get(name)
        scores = (
            (None,) * 4
            if found is None
            else (found.random, found.human, found.rlzoo_a2c_10m, found.rlzoo_ppo_10m)
        )
        shown = ["" if score is None else f"{score:,.1f}" for score in scores]
        table.add_row(name + "*" * (name in TINY_RANGE_GAMES), inside, *shown)
    return table
