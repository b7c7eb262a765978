"""Checkpoints: one safetensors file each, tensors and JSON, no pickle, checked before use."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from coordconv_rl.errors import InputError
from coordconv_rl.files import write_bytes_atomic
from coordconv_rl.runs import (
    BEST_FILE,
    CHECKPOINTS_FOLDER,
    check_integer,
    check_real,
    read_json,
    write_sealed,
)

FORMAT = "coordconv_rl-checkpoint"
VERSION = 1
# What safetensors and torch raise at a file that lies about itself.
_UNREADABLE = (
    SafetensorError, OSError, MemoryError, RuntimeError, ValueError, TypeError, KeyError,
    AttributeError, OverflowError,
)  # fmt: skip
_NAME = re.compile(r"step-(\d{12})\.safetensors")


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint holds.

    Attributes:
        state: Plain JSON data.
        tensors: Tensors by name, on the CPU.
    """

    state: dict[str, Any]
    tensors: dict[str, torch.Tensor]


def checkpoint_path(folder: Path, step: int) -> Path:
    """Return the checkpoint's path in a run folder, for an environment step."""
    return folder / CHECKPOINTS_FOLDER / f"step-{step:012d}.safetensors"


def list_checkpoints(folder: Path) -> list[Path]:
    """Return a run folder's checkpoints, the newest first."""
    found = (folder / CHECKPOINTS_FOLDER).glob("step-*.safetensors")
    return sorted((path for path in found if _NAME.fullmatch(path.name)), reverse=True)


def _digest(state: str, tensors: Mapping[str, torch.Tensor]) -> str:
    digest = hashlib.sha256(state.encode())
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(f"{name}:{tensor.dtype}:{tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> int:
    """Write a checkpoint under a temporary name, then rename it.

    Returns:
        The file's size in bytes.

    Raises:
        OSError: The file cannot be written; nothing is left behind.
    """
    tensors = {
        name: tensor.detach().cpu().contiguous() for name, tensor in checkpoint.tensors.items()
    }
    state = json.dumps(checkpoint.state, allow_nan=False)
    metadata = {
        "format": FORMAT,
        "version": str(VERSION),
        "state": state,
        "sha256": _digest(state, tensors),
    }
    data = save(tensors, metadata)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes_atomic(path, data)
    return len(data)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read and check a checkpoint; nothing in it is executed.

    Raises:
        InputError: It is missing, truncated, foreign, tampered with, or of a newer version.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            _check_format(path, metadata)
            # Copies: the file is mapped, and may change after it was checked.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise InputError(f"there is no checkpoint {path}") from None
    except InputError:
        raise
    except _UNREADABLE as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path} is damaged or no checkpoint: {reason}") from error
    state = metadata.get("state", "")
    if metadata.get("sha256") != _digest(state, tensors):
        raise InputError(f"{path} was damaged or changed after it was written: use another one")
    return Checkpoint(_parse(path, state), tensors)


def _parse(path: Path, state: str) -> dict[str, Any]:
    try:
        value = json.loads(state)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is no checkpoint: its state is no JSON") from error
    if not isinstance(value, dict):
        raise InputError(f"{path} is no checkpoint: its state is no JSON object")
    return value


def _check_format(path: Path, metadata: Mapping[str, str]) -> None:
    if metadata.get("format") != FORMAT:
        raise InputError(f"{path} is a safetensors file, but no checkpoint of coordconv_rl")
    version = metadata.get("version", "")
    if version != str(VERSION):
        raise InputError(
            f"{path} has checkpoint version {version!r}; this release reads version {VERSION}: "
            "use the release that wrote it"
        )


def mark_best(folder: Path, step: int, score: float) -> None:
    """Remember the checkpoint at `step` as the best so far."""
    write_sealed(folder / CHECKPOINTS_FOLDER / BEST_FILE, {"step": step, "score": score})


def best_step(folder: Path) -> int | None:
    """Return the environment step of the best checkpoint, or None if none is marked."""
    best = _read_best(folder)
    return None if best is None else best[0]


def best_score(folder: Path, step: int) -> float:
    """Return the best checkpoint's score, if that was made by `step`; else minus infinity."""
    best = _read_best(folder)
    return best[1] if best is not None and best[0] <= step else -math.inf


def check_best(folder: Path) -> None:
    """Look at which checkpoint is marked as the best, before others are removed by it.

    Raises:
        InputError: The mark is damaged, or of a checkpoint that is not there.
    """
    step = best_step(folder)
    if step is not None and not checkpoint_path(folder, step).is_file():
        path = folder / CHECKPOINTS_FOLDER / BEST_FILE
        raise InputError(f"{path} names step {step}, which has no checkpoint: remove or restore it")


def _read_best(folder: Path) -> tuple[int, float] | None:
    path = folder / CHECKPOINTS_FOLDER / BEST_FILE
    found = read_json(path, ("step", "score"))
    if found is None:
        return None
    step = check_integer(path, "its step", found["step"])
    return step, check_real(path, "its score", found["score"])


def prune(folder: Path, keep: int) -> None:
    """Remove all checkpoints but the newest `keep` and the best.

    Raises:
        InputError: It cannot be told which is the best; none is removed.
    """
    best = best_step(folder)
    for path in list_checkpoints(folder)[keep:]:
        if best is None or path != checkpoint_path(folder, best):
            path.unlink(missing_ok=True)
