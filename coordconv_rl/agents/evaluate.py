"""Fresh games of a trained agent: whole games, unclipped scores, seeds that training never used."""

from __future__ import annotations

import dataclasses
import logging
import statistics
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecEnv

from coordconv_rl.agents.build import Model, build_model, check_device
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
from coordconv_rl.envs import EnvSettings, human_normalised
from coordconv_rl.errors import InputError
from coordconv_rl.fast import detect_precision
from coordconv_rl.files import write_json_atomic
from coordconv_rl.runs import CONFIG_FILE, EVALUATION_FILE, is_launched

log = logging.getLogger(__name__)

SEED_OFFSET = 500_000  # training environments use seed, seed + 1, ..., far below this
MAX_ENVS = 8


def evaluation_env(config: RunConfig, n_envs: int, *, seed: int | None = None) -> VecEnv:
    """Return fresh environments for judging: whole games, unclipped rewards, other seeds."""
    return config.family.build(
        EnvSettings(
            game=config.game,
            environment=config.environment,
            n_envs=n_envs,
            seed=config.seed + SEED_OFFSET if seed is None else seed,
            training=False,
            protocol=config.protocol,
            full_action_space=config.full_action_space,
        )
    )


def load_agent(
    folder: Path, *, best: bool = False, device: str | None = None, trust_code: bool = False
) -> tuple[Model, RunConfig, int]:
    """Rebuild a trained agent from its run folder; nothing in the folder is executed.

    Args:
        folder: The run's folder.
        best: Take the checkpoint with the best recent score, not the newest.
        device: Where the network lives; None for where it was trained, or the processor on a
            machine that lacks that device.
        trust_code: Whether code that the folder names may be imported: a game of the user's own.

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
    check_trust(config, trust_code or is_launched())  # a launcher was given its experiment
    config = _on_device(config, device)
    use_threads(config.threads)
    checkpoint = _choose(folder, best)
    env = evaluation_env(config, 1)
    with warnings.catch_warnings():  # SB3 warns of a rollout of one environment, never collected
        warnings.filterwarnings("ignore", message="You have specified a mini-batch size")
        model = build_model(config, env, detect_precision(config.precision, config.device))
    restore_weights(model, checkpoint)
    return model, config, _step(folder, checkpoint)


def _on_device(config: RunConfig, device: str | None) -> RunConfig:
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


def play(
    model: Model,
    config: RunConfig,
    episodes: int,
    *,
    greedy: bool,
    seed: int,
    on_step: Callable[[], None] | None = None,
) -> list[float]:
    """Play whole games and return their raw scores, equally many from each environment.

    Args:
        model: The agent.
        config: Its configuration.
        episodes: Whole games to play.
        greedy: Play the most likely action instead of a sampled one.
        seed: Seed of the environments and of the sampled actions.
        on_step: Called after every step; what it raises ends the games.
    """
    env = evaluation_env(config, min(episodes, MAX_ENVS), seed=seed)
    devices = [model.device] if model.device.type == "cuda" else []
    try:
        with torch.random.fork_rng(devices):
            torch.manual_seed(seed)
            scores, _ = evaluate_policy(
                model,
                env,
                n_eval_episodes=episodes,
                deterministic=greedy,
                callback=lambda *_: on_step() if on_step else None,
                return_episode_rewards=True,
            )
    finally:
        env.close()
    assert isinstance(scores, list)
    return [float(score) for score in scores]


def summarise(game: str, scores: list[float]) -> dict[str, Any]:
    """Return the scores with their mean, standard deviation and human-normalised mean."""
    mean = statistics.fmean(scores)
    return {
        "scores": scores,
        "mean": mean,
        "std": statistics.stdev(scores) if len(scores) > 1 else 0.0,
        "human_normalised": human_normalised(game, mean),
    }


def evaluate_model(
    model: Model,
    config: RunConfig,
    folder: Path,
    *,
    seed: int | None = None,
    on_step: Callable[[], None] | None = None,
) -> dict[str, Any]:
    """Judge an agent as its configuration says and write `evaluation.json`.

    Args:
        model: The agent.
        config: Its configuration.
        folder: Where `evaluation.json` is written.
        seed: Seed of the games; None takes one that training never used.
        on_step: Called after every step; if it raises, nothing is written.

    Returns:
        What `evaluation.json` holds.
    """
    episodes = config.evaluation.episodes
    seed = config.seed + SEED_OFFSET if seed is None else seed
    result: dict[str, Any] = {
        "format": 1,
        "run": config.run_id,
        "game": config.game,
        "protocol": config.played,
        "step": model.num_timesteps,
        "episodes": episodes,
        "seed": seed,
    }
    for name, greedy in (("stochastic", False), ("greedy", True)):
        if greedy and not config.evaluation.greedy:
            result[name] = None
            continue
        log.info("playing %d games with %s actions", episodes, name)
        scores = play(model, config, episodes, greedy=greedy, seed=seed, on_step=on_step)
        result[name] = summarise(config.game, scores)
    write_json_atomic(folder / EVALUATION_FILE, result)
    return result
