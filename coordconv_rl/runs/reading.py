"""The files of a run's folder, read with suspicion: a damaged one is an error with its name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from coordconv_rl.errors import InputError


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


def damaged(path: Path, why: str) -> InputError:
    """Make the error for a file that cannot be believed, in one line."""
    line = " ".join(why.split())
    return InputError(f"{path} is damaged ({line}): restore it, or move its run's folder away")
