"""A trained agent from its run folder: nothing in the folder is executed."""

from __future__ import annotations

import dataclasses
import logging
import warnings
from pathlib import Path

from coordconv_rl.agents.build import Model, build_model, check_device, choose_precision
from coordconv_rl.agents.evaluate import evaluation_env
from coordconv_rl.agents.training import (
    Checkpoint,
    best_step,
    checkpoint_path,
    list_checkpoints,
    load_checkpoint,
    restore_weights,
    use_threads,
)
from coordconv_rl.configs import RunConfig, check_run, check_trust, load_run
from coordconv_rl.errors import InputError
from coordconv_rl.runs import CONFIG_FILE

log = logging.getLogger(__name__)


def load_agent(
    folder: Path, *, best: bool = False, device: str | None = None, trust_code: bool = False
) -> tuple[Model, RunConfig, int]:
    """Rebuild a trained agent from its run folder; nothing in the folder is executed.

    Args:
        folder: The run's folder.
        best: Take the checkpoint with the best recent score, not the newest.
        device: Where the network lives; None for where it was trained, or the processor on a
            machine that lacks that device.
        trust_code: Whether code that the folder names may be imported: a game or an extractor of
            the user's own.

    Returns:
        The model (with one evaluation environment), its configuration with the device that it
        lives on, and the environment step of the checkpoint.

    Raises:
        InputError: The folder holds no run, no checkpoint, or a damaged one; or this machine has no
            such device.
    """
    if not (folder / CONFIG_FILE).is_file():
        raise InputError(f"{folder} holds no run: name a folder that has a config.yaml")
    config = load_run(folder / CONFIG_FILE)
    check_trust(config, trust_code)
    config = on_device(config, device)
    use_threads(config.threads)
    checkpoint = _choose(folder, best)
    model = blank_model(config)
    restore_weights(model, checkpoint)
    return model, config, _step(folder, checkpoint)


def blank_model(config: RunConfig) -> Model:
    """Return the untrained model of a configuration, with one evaluation environment."""
    env = evaluation_env(config, 1)
    with warnings.catch_warnings():  # SB3 warns of a rollout of one environment, never collected
        warnings.filterwarnings("ignore", message="You have specified a mini-batch size")
        return build_model(config, env, choose_precision(config))


def on_device(config: RunConfig, device: str | None) -> RunConfig:
    """Return the configuration with the device that is asked for, or that can be had here."""
    if device is not None:
        config = dataclasses.replace(config, device=device)
        check_run(config)
        check_device(device)
        return config
    try:
        check_device(config.device)
    except InputError:
        log.info("%s is not there: the agent opens on the processor", config.device)
        return dataclasses.replace(config, device="cpu")
    return config


def _step(folder: Path, checkpoint: Checkpoint) -> int:
    counters = checkpoint.state.get("counters")
    step = counters.get("num_timesteps") if isinstance(counters, dict) else None
    if type(step) is not int:
        raise InputError(f"the checkpoint in {folder} does not say its step: use another one")
    return step


def _choose(folder: Path, best: bool) -> Checkpoint:
    paths = list_checkpoints(folder)
    if not paths:
        raise InputError(f"{folder} holds no checkpoint yet: train it first")
    marked = best_step(folder) if best else None
    return load_checkpoint(paths[0] if marked is None else checkpoint_path(folder, marked))
