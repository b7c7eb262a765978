"""What a run's folder holds to go on from: all of it looked at before anything is changed."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coordconv_rl.agents.build import Model
from coordconv_rl.agents.training.checkpoint import (
    Checkpoint,
    check_best,
    list_checkpoints,
    load_checkpoint,
)
from coordconv_rl.agents.training.state import episodes_kept
from coordconv_rl.configs import RunConfig
from coordconv_rl.errors import InputError
from coordconv_rl.runs import (
    EPISODES_FILE,
    EVALUATION_FILE,
    find_experiment,
    look_at_run,
    read_evaluation,
    read_kept,
)
from coordconv_rl.sb3 import parameter_counts

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Start:
    """What a folder holds of its run, all of it looked at.

    Attributes:
        record: What `run.json` holds; None before the first attempt.
        checkpoint: The newest whole one; None where there is none.
        episodes: The part of `episodes.csv` that the checkpoint goes on from.
        evaluation: The run's own evaluation, if it was written before the run could end.
    """

    record: dict[str, Any] | None
    checkpoint: Checkpoint | None
    episodes: bytes | None
    evaluation: dict[str, Any] | None


def look_at_start(folder: Path, config: RunConfig) -> Start:
    """Look at everything that a run would go on from; nothing is changed.

    Raises:
        InputError: Something is damaged, changed, or of another run.
    """
    record = look_at_run(folder, config)
    check_best(folder)
    checkpoint = newest_checkpoint(folder)
    episodes = None
    if checkpoint is not None:
        episodes = read_kept(folder / EPISODES_FILE, *episodes_kept(checkpoint, config.run_id))
    return Start(record, checkpoint, episodes, read_evaluation(folder / EVALUATION_FILE))


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


def facts_of(
    config: RunConfig, folder: Path, model: Model, before: dict[str, Any] | None
) -> dict[str, Any]:
    """Return what `run.json` says from the start on: what the run is, and how far it has come."""
    counts = parameter_counts(model.policy)
    so_far = before or {}
    return {
        "run": config.run_id,
        "experiment": find_experiment(folder, config.run_id),
        "step": model.num_timesteps,
        "steps": config.steps,
        "steps_per_second": so_far.get("steps_per_second") or 0.0,
        "recent_score": so_far.get("recent_score"),
        "episodes": so_far.get("episodes") or 0,
        "path": config.path,
        "device": config.device,
        "protocol": config.played,
        "resumes": "exactly" if config.family.is_exact else "with new games",
        "arm_summary": config.resolved_arm.summary,
        "parameters": counts["total"],
        "parameter_counts": counts,
    }
