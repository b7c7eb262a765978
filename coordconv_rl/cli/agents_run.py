"""What the commands `train` and `evaluate` do with their options."""

from __future__ import annotations

import dataclasses
import json
import logging
import threading
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from coordconv_rl.agents import evaluate_model, export_sb3, import_sb3, load_agent, train_agent
from coordconv_rl.agents.training import Interrupted, stop_on_signals
from coordconv_rl.configs import (
    Evaluation,
    RunConfig,
    check_run,
    check_seed,
    load_run,
    parse,
    preset,
    read_yaml,
)
from coordconv_rl.envs import check_game
from coordconv_rl.errors import InputError
from coordconv_rl.files import is_no_room

DEFAULTS: dict[str, Any] = {
    "algo": "ppo",
    "game": "Breakout",
    "arm": "coordconv",
    "seed": 0,
    "steps": 10_000_000,  # environment steps of RL Zoo's benchmark
}
INTERRUPTED = 130
FAILED = 1
DISK_FULL = 74  # EX_IOERR of sysexits.h: tells a launcher that a retry is no use

log = logging.getLogger(__name__)


def train_command(given: dict[str, Any]) -> int:
    """Train as the given options say; return the exit code."""
    resume, folder = given.pop("resume", None), given.pop("folder", None)
    export = given.pop("export_sb3", None)
    if resume is not None:
        if given or folder:
            names = ", ".join(f"--{name.replace('_', '-')}" for name in given) or "--folder"
            raise InputError(f"--resume takes all settings from its folder: leave out {names}")
        config, folder = _resumed(resume), resume
    else:
        config = _config(given)
        folder = folder or Path("runs", "single", config.run_id)
    if export is not None and (export.suffix != ".zip" or not export.parent.is_dir()):
        raise InputError(f"--export-sb3 {export} must be a .zip file in a folder that exists")
    threading.excepthook = _note  # what a writing thread meets, the main thread raises again
    try:
        record = train_agent(config, folder, show_progress=True)
    except Interrupted as reason:
        log.info("stopped (%s); go on with: coordconv-rl train --resume %s", reason, folder)
        return INTERRUPTED
    except InputError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and is_no_room(error):
            how = f"make room, then: coordconv-rl train --resume {folder}"
            log.error("%s stopped: %s; %s", config.run_id, error.strerror, how)
            return DISK_FULL
        log.exception("%s failed", config.run_id)
        return FAILED
    _print_end(record, folder)
    if export is not None:
        log.info("SB3 opens %s", export_sb3(folder, export))
    return 0


def _note(failed: threading.ExceptHookArgs) -> None:
    if is_no_room(failed.exc_value):
        log.debug("a thread met a full disk: %s", failed.exc_value)
    else:
        threading.__excepthook__(failed)


def _resumed(folder: Path) -> RunConfig:
    path = folder / "config.yaml"
    if not path.is_file():
        raise InputError(f"{folder} holds no run to go on with: there is no {path.name}")
    return load_run(path)


def _config(given: dict[str, Any]) -> RunConfig:
    """Make the run's configuration from a file, if there is one, and options."""
    file = given.pop("config", None)
    values = DEFAULTS | (read_yaml(file) if file else {})
    episodes = given.pop("episodes", None)
    values |= given
    if episodes is not None:
        values["evaluation"] = {**values.get("evaluation", {}), "episodes": episodes}
    algo_changed = "algo" in given and "hyperparameters" in values
    settings = {} if algo_changed else values.get("hyperparameters", {})
    if not isinstance(settings, dict):
        raise InputError("hyperparameters must be a mapping from names to values")
    values["hyperparameters"] = dataclasses.asdict(preset(values["algo"], settings))
    config = parse(RunConfig, values, str(file) if file else "train")
    check_run(config)
    return config


def _print_end(record: dict[str, Any], folder: Path) -> None:
    log.info(
        "%s: %s steps in %.0f s, %s parameters, %s; kept in %s",
        record["run"],
        f"{record['step']:,}",
        record["seconds"],
        f"{record['parameters']:,}",
        record["precision"],
        folder,
    )
    if (folder / "evaluation.json").is_file():
        _print_evaluation(json.loads((folder / "evaluation.json").read_text()))


def evaluate_command(
    folder: Path,
    episodes: int,
    *,
    seed: int | None,
    best: bool,
    zip_of: tuple[str, str | None],
    trust_pickle: bool,
) -> int:
    """Judge a trained agent, print a table, and write JSON; return the exit code."""
    if episodes < 1:
        raise InputError(f"episodes is {episodes}: play at least 1")
    if seed is not None:
        check_seed(seed)
    if folder.suffix == ".zip":
        algo, game = zip_of
        if game is None:
            raise InputError(f"{folder} does not say which game it plays: add --game")
        model = import_sb3(folder, algo, trust_pickle=trust_pickle)
        config = _config({"algo": algo, "game": check_game(game)})
        output = folder.parent
    else:
        model, config, model.num_timesteps = load_agent(folder, best=best)
        output = folder
    config = dataclasses.replace(config, evaluation=Evaluation(episodes, greedy=True))
    try:
        with stop_on_signals() as stop:
            result = evaluate_model(model, config, output, seed=seed, on_step=stop.raise_if_asked)
    except Interrupted:
        raise KeyboardInterrupt from None
    _print_evaluation(result)
    log.info("written to %s", output / "evaluation.json")
    return 0


def _print_evaluation(result: dict[str, Any]) -> None:
    title = f"{result['run']}, {result['episodes']} games, protocol {result['protocol']}"
    table = Table("actions", "mean score", "standard deviation", "human-normalised", title=title)
    for name in ("stochastic", "greedy"):
        found = result[name]
        if found is None:
            continue
        normalised = found["human_normalised"]
        shown = "no reference" if normalised is None else f"{normalised:.3f}"
        table.add_row(name, f"{found['mean']:.2f}", f"{found['std']:.2f}", shown)
    Console().print(table)
