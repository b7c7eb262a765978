"""Train one agent into its folder, or go on exactly where an earlier attempt stopped."""

from __future__ import annotations

import runpy
import sys

if __name__ == "__main__":  # `python agents/train.py` is `coordconv-rl train`
    sys.path.pop(0)  # this file's folder, whose `inspect` would hide Python's own
    sys.argv.insert(1, "train")
    runpy.run_module("coordconv_rl", run_name="__main__")

import logging
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from stable_baselines3.common.logger import HParam, Logger

from coordconv_rl.agents.build import Model, build_env, build_model, check_device, choose_precision
from coordconv_rl.agents.evaluate import (
    check_judged,
    describe_evaluation,
    evaluate_model,
    judged_spaces,
)
from coordconv_rl.agents.training import (
    Interrupted,
    Progress,
    RunCallback,
    Start,
    StopRequest,
    TensorBoardLog,
    facts_of,
    hyperparameters,
    look_at_start,
    prune,
    restore,
    stop_on_signals,
    thread_callbacks,
    tracked,
    use_threads,
)
from coordconv_rl.configs import RunConfig
from coordconv_rl.envs import AtariVecEnv
from coordconv_rl.errors import InputError
from coordconv_rl.files import is_no_room, read_regular
from coordconv_rl.runs import (
    CONFIG_FILE,
    EPISODES_FILE,
    EVALUATION_FILE,
    EVALUATION_PROGRESS,
    HEADER,
    RECORD_FILE,
    EpisodeLog,
    RunRecord,
    check_same,
    hold_run,
    is_over,
    look_at_run,
    prepare_run,
    read_sums,
    sum_of,
    write_evaluation,
)

log = logging.getLogger(__name__)


def train_agent(
    config: RunConfig, folder: Path, *, show_progress: bool = False, wandb: str | None = None
) -> dict[str, Any]:
    """Train the agent, evaluate it, and leave everything in the folder.

    A folder that holds a checkpoint of this run is gone on with, exactly; in one whose run is over,
    nothing changes.

    Args:
        config: The run.
        folder: Where it is kept.
        show_progress: Whether to show a progress bar on the standard error.
        wandb: A project of Weights & Biases that the run is sent to as well; see `tracked`.

    Returns:
        What `run.json` holds.

    Raises:
        InputError: As `prepare_run`; the device is missing, the folder cannot be written, another
            process trains there, or something in it is damaged, changed or does not fit. Nothing
            in the folder has changed then.
        Interrupted: A signal came; the checkpoint is saved and the run can go on.
    """
    check_device(config.device)
    path = folder / CONFIG_FILE
    is_new = not path.exists()
    try:
        prepare_run(folder, config)
    except OSError as error:
        if is_no_room(error):
            raise
        raise InputError(f"cannot write to {folder}: {error.strerror}") from error
    before = look_at_run(folder, config)
    if before is not None and is_over(folder, config, before):
        log.info("%s is finished: nothing is left to do", config.run_id)
        return before
    with hold_run(folder):
        check_same(folder, config)  # nobody changed it in between
        try:
            return _train(config, folder, show_progress, wandb)
        except InputError:
            if is_new and not (folder / RECORD_FILE).exists():  # it never began: for another try
                path.unlink(missing_ok=True)
            raise


def _train(
    config: RunConfig, folder: Path, show_progress: bool, wandb: str | None
) -> dict[str, Any]:
    """Look at all of the folder, build the agent, and only then begin to write."""
    use_threads(config.threads)
    precision = choose_precision(config)
    start = look_at_start(folder, config)
    with ExitStack() as stack:
        stop = stack.enter_context(stop_on_signals())
        judged = judged_spaces(config)
        env = build_env(config)
        stack.callback(env.close)
        if judged is not None:
            check_judged(config, env, judged)
        model = build_model(config, env, precision)
        if start.checkpoint is not None:
            restore(model, env, start.checkpoint)
        told = stack.enter_context(tracked(config, folder, wandb, start.record))
        facts = facts_of(config, folder, model, start.record) | told
        record = RunRecord(folder, facts, start.record)
        record.fields["precision"] = precision
        with _recorded(record):
            _run(config, folder, model, record, start, stop, show_progress)
    return record.fields


@contextmanager
def _recorded(record: RunRecord) -> Iterator[None]:
    """Write how a `with` block ends into `run.json`."""
    try:
        yield
    except Interrupted as error:
        record.end("interrupted", str(error))
        raise
    except Exception as error:
        try:
            record.end("failed", f"{type(error).__name__}: {' '.join(str(error).split())}")
        except OSError as again:  # a full disk takes no reason either; the first one is raised
            log.debug("run.json stays as it was: %s", again)
        raise


def _run(
    config: RunConfig,
    folder: Path,
    model: Model,
    record: RunRecord,
    start: Start,
    stop: StopRequest,
    show_progress: bool,
) -> None:
    """Train to the end, evaluate, and write that the run is done."""
    sums = {CONFIG_FILE: sum_of(read_regular(folder / CONFIG_FILE))}
    kept = HEADER if start.episodes is None else start.episodes
    sums[EPISODES_FILE] = sum_of(kept, kept.count(b"\n") - 1)
    record.write(sums=sums)  # before rows are cut: true of the file before and after
    episodes = EpisodeLog(folder / EPISODES_FILE, start.episodes)
    try:
        with Progress(config.run_id, config.steps, shown=show_progress) as progress:
            callback = RunCallback(
                config, folder, episodes=episodes, record=record, progress=progress, stop=stop
            )
            _learn(model, config, folder, callback)
    finally:
        episodes.close()
    record.write(sums={EPISODES_FILE: episodes.sum})
    if isinstance(model.env, AtariVecEnv):
        model.env.close()  # training is over: the evaluation plays on with its loaded games
    if config.evaluation.episodes:
        _judge(model, config, folder, record, start, stop)
    prune(folder, keep=1)
    record.end("done")


def _judge(
    model: Model,
    config: RunConfig,
    folder: Path,
    record: RunRecord,
    start: Start,
    stop: StopRequest,
) -> None:
    """Write the run's own evaluation, unless it is there; go on with one that was interrupted."""
    path, progress = folder / EVALUATION_FILE, folder / EVALUATION_PROGRESS
    asked = describe_evaluation(config, model.num_timesteps)
    known = read_sums(record.path, record.fields).get(EVALUATION_FILE)
    if start.evaluation is not None and asked.items() <= start.evaluation.items():
        data = read_regular(path)
    else:

        def alive() -> None:
            stop.raise_if_asked()
            record.refresh()

        data = write_evaluation(
            path, evaluate_model(model, config, on_step=alive, progress=progress)
        )
        if known is not None and known != sum_of(data):
            log.warning("%s was played again, and differs from what was recorded", path)
    record.write(sums={EVALUATION_FILE: sum_of(data)})
    progress.unlink(missing_ok=True)


def _learn(model: Model, config: RunConfig, folder: Path, callback: RunCallback) -> None:
    """Train on from where the model is; what the resumed SB3 needs is put back first."""
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
