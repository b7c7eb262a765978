"""The files of a run's folder, read with suspicion: a damaged one is an error with its name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coordconv_rl.errors import InputError

EPISODE_COLUMNS = "step,score,frames,life_loss"
EPISODE_DTYPE = np.dtype(
    [("step", np.int64), ("score", np.float64), ("frames", np.int64), ("life_loss", np.int8)]
)


def read_json(path: Path, required: Sequence[str]) -> dict[str, Any] | None:
    """Read a JSON object that has the required keys, or None where there is no such file.

    Raises:
        InputError: The file is damaged or of a newer format.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise damaged(path, str(error)) from error
    if not isinstance(value, dict):
        raise damaged(path, "no JSON object")
    if missing := [key for key in required if key not in value]:
        raise damaged(path, "no " + ", ".join(missing))
    if value.get("format", 1) != 1:
        raise InputError(f"{path} has format {value['format']}: a newer coordconv_rl wrote it")
    return value


def read_episodes(path: Path) -> NDArray[np.void]:
    """Read `episodes.csv`; a last line that is still being written is left for the next reading.

    Raises:
        InputError: The file is damaged.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return np.empty(0, EPISODE_DTYPE)
    except (OSError, UnicodeDecodeError) as error:
        raise damaged(path, str(error)) from error
    header, _, body = text.partition("\n")
    if text and header != EPISODE_COLUMNS:
        raise damaged(path, f"its first line is not {EPISODE_COLUMNS}")
    lines = body[: body.rfind("\n") + 1].splitlines()
    if not lines:
        return np.empty(0, EPISODE_DTYPE)
    try:
        rows = np.loadtxt(lines, dtype=EPISODE_DTYPE, delimiter=",", ndmin=1, comments=None)
    except (ValueError, OverflowError) as error:
        raise damaged(path, str(error)) from error
    if len(rows) != len(lines) or (np.diff(rows["step"]) < 0).any():
        raise damaged(path, "empty lines, or steps that go back")
    if not np.isfinite(rows["score"]).all():
        raise damaged(path, "a score that is no number")
    return rows


def damaged(path: Path, why: str) -> InputError:
    """Make the error for a file that cannot be believed, in one line."""
    line = " ".join(why.split())
    return InputError(f"{path} is damaged ({line}): restore it, or move its run's folder away")
