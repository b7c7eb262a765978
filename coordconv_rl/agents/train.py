"""Train one agent into its folder, or go on exactly where an earlier attempt stopped."""

from __future__ import annotations

import runpy
import sys

if __name__ == "__main__":  # `python agents/train.py` is `coordconv-rl train`
    sys.path.pop(0)  # this file's folder, whose `inspect` would hide Python's own
    sys.argv.insert(1, "train")
    runpy.run_module("coordconv_rl", run_name="__main__")

import logging
import os
import socket
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from stable_baselines3.common.logger import HParam, Logger

from coordconv_rl import locks
from coordconv_rl.agents.build import Model, build_env, build_model, check_device
from coordconv_rl.agents.evaluate import evaluate_model
from coordconv_rl.agents.training import (
    Checkpoint,
    Interrupted,
    Progress,
    RunCallback,
    TensorBoardLog,
    episodes_bytes,
    hyperparameters,
    list_checkpoints,
    load_checkpoint,
    prune,
    restore,
    stop_on_signals,
    thread_callbacks,
    use_threads,
)
from coordconv_rl.arms import get_arm
from coordconv_rl.configs import RunConfig
from coordconv_rl.errors import InputError
from coordconv_rl.fast import detect_precision
from coordconv_rl.files import is_no_room
from coordconv_rl.runs import (
    EPISODES_FILE,
    RUN_LOCK,
    EpisodeLog,
    RunRecord,
    find_experiment,
    is_launched,
    prepare_run,
)
from coordconv_rl.sb3 import parameter_counts

log = logging.getLogger(__name__)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep other processes from training in the folder; a launcher holds it for its workers.

    Raises:
        InputError: Another process works there.
    """
    if is_launched():
        yield
        return
    try:
        lock = locks.acquire(folder / RUN_LOCK, f"process {os.getpid()} on {socket.gethostname()}")
    except locks.LockedError as error:
        raise InputError(
            f"{folder} is being trained by {error}: wait for it, or stop it first"
        ) from error
    try:
        yield
    finally:
        os.close(lock)


def newest_checkpoint(folder: Path) -> Checkpoint | None:
    """Return the newest whole checkpoint of a run folder, or None if it has none.

    Raises:
        InputError: There are checkpoints, but all are damaged.
    """
    paths = list_checkpoints(folder)
    for path in paths:
        try:
            return load_checkpoint(path)
        except InputError as error:
            log.warning("passed over: %s", error)
    if paths:
        raise InputError(f"no checkpoint in {folder} is whole: start again in another folder")
    return None


def train_agent(config: RunConfig, folder: Path, *, show_progress: bool = False) -> dict[str, Any]:
    """Train the agent, evaluate it, and leave everything in the folder.

    A folder that holds a checkpoint of this run is gone on with, exactly.

    Args:
        config: The run.
        folder: Where it is kept.
        show_progress: Whether to show a progress bar on the standard error.

    Returns:
        What `run.json` holds.

    Raises:
        InputError: As `prepare_run`; the device is missing, the folder cannot be written, another
            process trains there, or the folder's checkpoint does not fit.
        Interrupted: A signal came; the checkpoint is saved and the run can go on.
    """
    check_device(config.device)
    try:
        prepare_run(folder, config)
    except OSError as error:
        if is_no_room(error):
            raise
        raise InputError(f"cannot write to {folder}: {error.strerror}") from error
    with held(folder):
        return _train(config, folder, show_progress)


def _train(config: RunConfig, folder: Path, show_progress: bool) -> dict[str, Any]:
    use_threads(config.threads)
    precision = detect_precision(config.precision, config.device)
    record = RunRecord(folder, _facts(config, folder, precision))
    record.write()
    try:
        with ExitStack() as stack:
            _run(config, folder, record, stack, show_progress)
        prune(folder, keep=1)
        record.end("done")
    except Interrupted as error:
        record.end("interrupted", str(error))
        raise
    except Exception as error:
        try:
            record.end("failed", f"{type(error).__name__}: {' '.join(str(error).split())}")
        except OSError as again:  # a full disk takes no reason either; the first one is raised
            log.debug("run.json stays as it was: %s", again)
        raise
    return record.fields


def _run(
    config: RunConfig, folder: Path, record: RunRecord, stack: ExitStack, show_progress: bool
) -> None:
    """Train to the end and evaluate; the stack closes what this opens."""
    stop = stack.enter_context(stop_on_signals())
    progress = stack.enter_context(Progress(config.run_id, config.steps, shown=show_progress))
    env = build_env(config)
    stack.callback(env.close)
    model = build_model(config, env, record.fields["precision"])
    counts = parameter_counts(model.policy)
    record.write(parameters=counts["total"], parameter_counts=counts)
    checkpoint = newest_checkpoint(folder)
    kept = None if checkpoint is None else episodes_bytes(checkpoint, config.run_id)
    episodes = EpisodeLog(folder / EPISODES_FILE, kept)
    stack.callback(episodes.close)
    if checkpoint is not None:
        restore(model, env, checkpoint)
    callback = RunCallback(
        config, folder, episodes=episodes, record=record, progress=progress, stop=stop
    )
    _learn(model, config, folder, callback)
    if config.evaluation.episodes:

        def alive() -> None:
            stop.raise_if_asked()
            record.refresh()

        evaluate_model(model, config, folder, on_step=alive)


def _facts(config: RunConfig, folder: Path, precision: str) -> dict[str, Any]:
    return {
        "run": config.run_id,
        "experiment": find_experiment(folder, config.run_id),
        "step": 0,
        "steps": config.steps,
        "steps_per_second": 0.0,
        "recent_score": None,
        "episodes": 0,
        "precision": precision,
        "device": config.device,
        "protocol": config.played,
        "resumes": "exactly" if config.family.is_exact else "with new games",
        "arm_summary": get_arm(config.arm).summary,
    }


def _learn(model: Model, config: RunConfig, folder: Path, callback: RunCallback) -> None:
    done = model.num_timesteps
    board = TensorBoardLog(folder, first_step=done + 1 if done else None)
    model.set_logger(Logger(str(folder), [board]))
    if done:
        log.info("going on from step %s", f"{done:,}")
        recent = [{"r": score, "l": frames, "t": 0.0} for score, frames in callback.episodes.recent]
        model.ep_info_buffer = deque(recent, maxlen=100)
        model.ep_success_buffer = deque(maxlen=100)
    else:
        metrics = {"score/raw": 0.0, "rollout/ep_rew_mean": 0.0}
        model.logger.record("hparams", HParam(hyperparameters(config), metrics))
    try:
        if done < config.steps:
            model.learn(
                config.steps - done,
                [callback, *thread_callbacks(config)],
                log_interval=None,  # type: ignore[arg-type]  # the callback logs, by step count
                reset_num_timesteps=not done,
            )
            callback.log()
            callback.save()
            callback.refresh()
    finally:
        model.logger.close()
