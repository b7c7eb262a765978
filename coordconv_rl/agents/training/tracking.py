"""A run on Weights & Biases too, if that is asked for: what TensorBoard gets, W&B gets.

Its library (the extra "wandb") is imported only then. It reads its own variables, as ever:
WANDB_MODE=offline keeps everything on this machine for `wandb sync`.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from coordconv_rl.configs import RunConfig
from coordconv_rl.errors import FAILED, OK, missing_extra
from coordconv_rl.runs import EVALUATION_FILE, find_experiment, read_evaluation

WANDB_EXTRA = "wandb"
_ID = re.compile(r"[\w.-]{1,64}")  # what W&B takes as an id


@contextmanager
def tracked(
    config: RunConfig, folder: Path, project: str | None, record: Mapping[str, Any] | None
) -> Iterator[dict[str, Any]]:
    """Send what is written to TensorBoard inside a `with` block to a project of W&B.

    The run's name there is its id here, its group the experiment; what W&B calls its id is kept in
    `run.json`, so that a run that is resumed is the same one there. W&B's own files go where it
    puts them, `wandb/` in the working folder or WANDB_DIR: it makes links, which run folders
    refuse.

    Args:
        config: The run.
        folder: Its folder.
        project: W&B's project; None sends nothing and imports nothing.
        record: What `run.json` held before.

    Yields:
        What `run.json` is to say of it.

    Raises:
        InputError: The library is missing.
    """
    before = dict((record or {}).get("wandb") or {})
    if project is None:
        yield {"wandb": before} if before else {}
        return
    try:
        import wandb
        from wandb.integration.tensorboard import patch, unpatch
    except ImportError as error:
        raise missing_extra(WANDB_EXTRA, error) from error
    # What sync_tensorboard=True does, but that would guess the folder, and wait ten seconds for it.
    patch(root_logdir=os.path.abspath(folder))
    run = wandb.init(
        project=project,
        id=_known_id(before, project),
        resume="allow",
        settings=wandb.Settings(console="off"),
        **_described(config, folder),
    )
    code = FAILED
    try:
        yield {"wandb": {"project": project, "id": run.id}}
        run.summary.update(_summary(folder))
        code = OK
    finally:
        run.finish(exit_code=code)
        unpatch()


def _described(config: RunConfig, folder: Path) -> dict[str, Any]:
    group = find_experiment(folder, config.run_id)
    return {"name": config.run_id, "group": group, "config": dataclasses.asdict(config)}


def _summary(folder: Path) -> dict[str, float]:
    evaluation = read_evaluation(folder / EVALUATION_FILE) or {}
    found = {way: evaluation.get(way) for way in ("stochastic", "greedy")}
    return {f"evaluation/{way}": one["mean"] for way, one in found.items() if one is not None}


def _known_id(before: Mapping[str, Any], project: str) -> str | None:
    """Return W&B's id of an earlier attempt in the same project."""
    found = before.get("id")
    known = before.get("project") == project and isinstance(found, str) and _ID.fullmatch(found)
    return found if known else None
