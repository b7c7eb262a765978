"""An experiment's runs: an immutable tuple whose ids are the folders' paths and the join key."""

from __future__ import annotations

from dataclasses import asdict, fields
from itertools import product
from pathlib import Path
from typing import Any

from coordconv_rl.arms import arm_value
from coordconv_rl.configs import (
    Algo,
    ExperimentConfig,
    RunConfig,
    load_experiment,
    load_run,
    preset,
    to_yaml,
    unused_settings,
)
from coordconv_rl.envs import family_of, resolve_games
from coordconv_rl.errors import InputError
from coordconv_rl.files import read_regular, sealed, write_text_atomic
from coordconv_rl.runs import EXPERIMENT_FILE

_SHARED = {f.name for f in fields(ExperimentConfig)} & {f.name for f in fields(RunConfig)}
RunKey = tuple[Algo, str, str, int]  # algorithm, game, arm's label, seed
_KEY = ("algo", "game", "arm", "seed")  # what tells runs apart; all else is a setting


def planned_games(experiment: ExperimentConfig) -> tuple[str, ...]:
    """Return the experiment's games, whether it names them or a suite."""
    return resolve_games(experiment.games, experiment.suite, experiment.environments)


def run_keys(experiment: ExperimentConfig) -> tuple[RunKey, ...]:
    """Return the (algorithm, game, arm, seed) of every run, in the order to start them.

    The longest come first: PPO, which trains on each rollout several times, before A2C. Then
    seeds vary slowest and arms fastest, so that an experiment that is stopped early has compared
    all arms on the same seeds.
    """
    algos = sorted(experiment.algos, reverse=True)
    order = product(algos, experiment.seeds, planned_games(experiment), experiment.arm_labels)
    return tuple((algo, game, arm, seed) for algo, seed, game, arm in order)


def expand(experiment: ExperimentConfig) -> tuple[RunConfig, ...]:
    """Return every run of the experiment, fully resolved, in the order of `run_keys`."""
    settings = {
        (algo, family): preset(algo, experiment.overrides.get(algo), family)
        for algo, family in product(experiment.algos, experiment.families)
    }
    shared = {name: getattr(experiment, name) for name in _SHARED}
    made = experiment.environments
    arms = {label: arm_value(arm) for label, arm in experiment.arms_by_label.items()}
    shared["plain"] = experiment.path == "plain"  # one path for all arms
    return tuple(
        RunConfig(
            algo=algo,
            game=game,
            environment=made.get(game),
            arm=arms[arm],
            seed=seed,
            hyperparameters=settings[algo, family.name],
            **shared | unused_settings(family),
        )
        for algo, game, arm, seed in run_keys(experiment)
        for family in (family_of(game, made.get(game)),)
    )


def read_experiment(folder: Path) -> ExperimentConfig:
    """Read the resolved experiment that a folder holds.

    Raises:
        InputError: There is none, or it is damaged.
    """
    if not has_experiment(folder):
        raise InputError(
            f"{folder} holds no experiment (no {EXPERIMENT_FILE}): give the folder of one, or "
            "start it with coordconv-rl compare"
        )
    path = str(folder / EXPERIMENT_FILE)
    try:
        return load_experiment(path)
    except InputError as error:
        raise error if path in str(error) else InputError(f"{path}: {error}") from error


def has_experiment(folder: Path) -> bool:
    """Return whether a folder is an experiment's."""
    return (folder / EXPERIMENT_FILE).is_file()


def write_experiment(folder: Path, experiment: ExperimentConfig) -> None:
    """Write a resolved experiment into its folder, which is made if missing.

    Raises:
        InputError: It cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_text_atomic(folder / EXPERIMENT_FILE, sealed(to_yaml(experiment)))
    except OSError as error:
        raise InputError(f"cannot write to {folder}: {error.strerror}") from error


def made_with(path: Path, config: RunConfig) -> RunConfig | None:
    """Return a run's settings where they differ from those planned; None where they do not.

    A file that cannot be read is left to the run's start, which names it and goes on with others.
    """
    try:
        if read_regular(path) == to_yaml(config).encode():
            return None
        made = load_run(path)
    except (InputError, OSError):
        return None
    return None if made == config else made


def differences(made: RunConfig, config: RunConfig) -> list[tuple[str, Any, Any]]:
    """Return which settings of two runs differ: name, and what each says; a run's key is none."""
    before, after = _flat(asdict(made)), _flat(asdict(config))
    return [
        (name, before.get(name), after.get(name))
        for name in before | after
        if before.get(name) != after.get(name) and name not in _KEY
    ]


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat
