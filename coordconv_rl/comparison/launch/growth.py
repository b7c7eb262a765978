"""A comparison that grows: what a folder holds against what is asked for now.

The folder's experiment.yaml is what was asked for last: that is run and reported. The ledger keeps
every request, so that runs asked for earlier are known: they are left alone, and left out.
"""

from __future__ import annotations

import getpass
import socket
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from coordconv_rl.comparison import plan
from coordconv_rl.comparison.entries import RunRequest, check_planned, read_ledger, read_requests
from coordconv_rl.comparison.launch.ledger import Ledger
from coordconv_rl.comparison.report import counted
from coordconv_rl.comparison.results import check_foreign
from coordconv_rl.configs import ExperimentConfig, RunConfig
from coordconv_rl.errors import InputError
from coordconv_rl.runs import (
    CHECKPOINTS_FOLDER,
    CONFIG_FILE,
    EPISODES_FILE,
    PACKED,
    has_begun,
    lengthen_run,
    longer_run,
    now,
)


@dataclass(frozen=True)
class Growth:
    """What a folder becomes when an experiment is taken up in it.

    Attributes:
        experiment: What is asked for.
        configs: The runs that are planned now, in the order to start them.
        known: The requests that the ledger had.
        requests: Those that it will have.
        longer: The runs that exist and shall train for more steps than they were made for.
    """

    experiment: ExperimentConfig
    configs: tuple[RunConfig, ...]
    known: tuple[RunRequest, ...]
    requests: tuple[RunRequest, ...]
    longer: tuple[RunConfig, ...]


def plan_growth(folder: Path, experiment: ExperimentConfig) -> Growth:
    """Look at what a folder holds and what is asked for now, and change nothing.

    Args:
        folder: The experiment's folder; it need not exist.
        experiment: What is asked for: more runs than before, or fewer.

    Raises:
        InputError: Runs that exist have other settings, or are nobody's; or the folder's
            experiment has another name.
    """
    configs = plan.expand(experiment)
    before = plan.read_experiment(folder) if plan.has_experiment(folder) else None
    if before is not None and before.name != experiment.name:
        raise InputError(
            f"{folder} holds another experiment (name was {before.name} and is now "
            f"{experiment.name}): choose another --folder, or go back to what it was"
        )
    known = requests = read_requests(folder)
    if not requests and before is not None:  # an earlier version's folder
        requests = (make_request(before),)
    request = make_request(experiment, asked=now(), by=f"{_user()}@{socket.gethostname()}")
    if not (requests and requests[-1].is_same(request)):
        requests = (*requests, request)
    asked = {run for one in requests for run in one.runs()}
    check_foreign(folder, asked)
    check_planned(folder, read_ledger(folder), asked)
    longer = check_settings(folder, configs)
    return Growth(experiment, configs, known, requests, tuple(longer))


def take_up(folder: Path, growth: Growth, held: Ledger) -> None:
    """Make the growth the folder's: first in the ledger, then in its files.

    Args:
        folder: The experiment's folder.
        growth: What `plan_growth` found, before the ledger was held.
        held: The folder's ledger, with nothing taken up yet.

    Raises:
        InputError: It cannot be written, or another launcher came in between.
    """
    if held.requests != growth.known:
        raise InputError(f"{folder} has just been changed by another launcher: start again")
    held.take_up([config.run_id for config in growth.configs], growth.requests)
    plan.write_experiment(folder, growth.experiment)
    try:
        for config in growth.longer:
            lengthen_run(folder / config.run_id, config)
    except OSError as error:
        raise InputError(f"cannot write to {folder}: {error.strerror}") from error


def make_request(
    experiment: ExperimentConfig, *, asked: str | None = None, by: str | None = None
) -> RunRequest:
    """Return what an experiment asks for; when and by whom is None where that is not known."""
    algos, games, arms, seeds = (
        tuple(dict.fromkeys(values)) for values in zip(*plan.run_keys(experiment), strict=True)
    )
    pairs, margin = experiment.comparisons, experiment.equivalence
    return RunRequest(asked, by, experiment.steps, algos, games, arms, seeds, pairs, margin)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        return "unknown"


def check_settings(folder: Path, configs: Sequence[RunConfig]) -> list[RunConfig]:
    """Compare the runs that exist with what is planned now.

    Args:
        folder: The experiment's folder.
        configs: The planned runs.

    Returns:
        The runs that exist and shall train for more steps than they were made for.

    Raises:
        InputError: A setting of runs that exist would change; it names the setting and the runs.
    """
    changed: dict[str, None] = {}
    runs, longer = [], []
    for config in configs:
        run = folder / config.run_id
        made = plan.made_with(run / CONFIG_FILE, config)
        if made is None or not has_begun(run):
            continue
        if config.steps > made.steps and made == replace(config, steps=made.steps):
            try:
                longer.append(longer_run(made, config.steps))
                _check_agent(run)
            except InputError as error:
                raise InputError(f"{folder} holds {config.run_id}: {error}") from error
        else:
            runs.append(config.run_id)
            changed |= dict.fromkeys(
                f"{name} was {before} and is now {after}"
                for name, before, after in plan.differences(made, config)
            )
    if runs:
        raise InputError(
            f"{folder} holds {counted(len(runs), 'run')} with other settings, such as {runs[0]} "
            f"({'; '.join(changed)}): choose another --folder, or go back to what it was"
        )
    return longer


def _check_agent(run: Path) -> None:
    """Raise `InputError` if a run is one of an export, whose agent cannot train on."""
    packed = (run / (EPISODES_FILE + PACKED)).exists()
    if packed and not any((run / CHECKPOINTS_FOLDER).glob("*")):
        raise InputError(
            "its agent is not there, as in every export, and more steps need its weights: ask for "
            "them in the folder that was exported, or choose another --folder"
        )
