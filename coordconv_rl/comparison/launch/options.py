"""How an experiment is launched; on its own, so that the command's help is fast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro


@dataclass(frozen=True)
class LaunchOptions:
    """How an experiment is launched; none of it changes what is computed.

    Attributes:
        retries: How often a run that was killed, diverged or hung is started again from its newest
            checkpoint.
        backend: Processes on this machine, tasks on a Ray cluster (needs the extra "ray"), or jobs
            of SLURM (needs the extra "slurm").
        address: The Ray cluster's address.
        slurm: An option of sbatch, as in partition=gpu; give it again for another.
        hang_minutes: Minutes without any progress after which a run is killed.
        inspect: Whether the agents are inspected at the end: do they use their coordinates? Not on
            a cluster, where it would be this machine that plays the games of all of them.
        wandb: Also send what TensorBoard gets of each run to this project of Weights & Biases
            (needs the extra "wandb"; WANDB_MODE=offline keeps it in ./wandb).
        dry_run: Say what is missing and what it would cost (steps, cores, hours, disk), and stop.
    """

    retries: int = 2
    backend: Literal["local", "ray", "slurm"] = "local"
    address: Annotated[str | None, tyro.conf.arg(help_behavior_hint="(default: a local one)")] = (
        None
    )
    slurm: Annotated[
        tyro.conf.UseAppendAction[tuple[str, ...]],
        tyro.conf.arg(metavar="NAME=VALUE", help_behavior_hint="(default: SLURM's own)"),
    ] = ()
    hang_minutes: float = 30.0
    inspect: bool = True
    wandb: Annotated[
        str | None, tyro.conf.arg(metavar="PROJECT", help_behavior_hint="(optional)")
    ] = None
    dry_run: tyro.conf.FlagCreatePairsOff[bool] = False
