"""The files of a run's folder, read with suspicion: a damaged one is an error with its name.

A number is looked at once, here: finite, within bounds, of its type. A file that was whole once and
is so no more is told from one that never was: see `NotWhole`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from coordconv_rl.errors import InputError
from coordconv_rl.files import read_regular, write_json_atomic

LARGEST_INTEGER = 2**63 - 1  # what NumPy's int64 holds
LARGEST_REAL = 1e15  # beyond any score, speed or time; sums over many runs stay finite
JSON_FORMAT = 1  # of every JSON file of a run
SEAL = "sha256"  # key of a JSON file's own digest


class NotWhole(InputError):
    """A file is shorter than it was, emptied, changed or gone: its run's results cannot be used."""


def read_json(path: Path, required: Sequence[str]) -> dict[str, Any] | None:
    """Read a JSON object that has the required keys, or None where there is no such file.

    Raises:
        NotWhole: It was changed after it was written.
        InputError: The file is damaged, holds a number out of bounds, or is of a newer format.
    """
    try:
        data = read_regular(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise damaged(path, error.strerror or str(error)) from error
    return parse_json(path, data, required)


def parse_json(path: Path, data: bytes, required: Sequence[str]) -> dict[str, Any]:
    """Return what a JSON file holds; see `read_json`."""
    try:
        value = json.loads(
            data.decode(), parse_int=_integer, parse_float=_real, parse_constant=_real
        )
    except (ValueError, RecursionError) as error:
        raise damaged(path, str(error)) from error
    if not isinstance(value, dict):
        raise damaged(path, "no JSON object")
    if missing := [key for key in required if key not in value]:
        raise damaged(path, "no " + ", ".join(missing))
    if value.get("format", JSON_FORMAT) != JSON_FORMAT:
        raise InputError(f"{path} has format {value['format']!r}: a newer coordconv_rl wrote it")
    if SEAL in value and value[SEAL] != seal_of(value):
        raise NotWhole(f"{path} was changed after it was written: restore it")
    return value


def write_sealed(path: Path, values: Mapping[str, Any]) -> None:
    """Write a JSON object with its own digest, which `read_json` looks at."""
    write_json_atomic(path, {**values, SEAL: seal_of(values)})


def seal_of(values: Mapping[str, Any]) -> str:
    """Return the digest of what a JSON object holds beside it."""
    content = {key: value for key, value in values.items() if key != SEAL}
    return digest(json.dumps(content, sort_keys=True, allow_nan=False).encode())


def digest(data: bytes) -> str:
    """Return the SHA-256 of some bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _integer(text: str) -> int:
    if abs(value := int(text)) > LARGEST_INTEGER:
        raise ValueError(f"the number {text[:24]}{'...' * (len(text) > 24)} is too large")
    return value


def _real(text: str) -> float:
    value = float(text)
    if not abs(value) <= LARGEST_REAL:  # NaN too
        raise ValueError(f"{text[:24]} is no number that can be here")
    return value


def check_integer(path: Path, name: str, value: object, low: int = 0) -> int:
    """Return a value of a file that must be a whole number from `low` on.

    Raises:
        InputError: It is something else; True is no number.
    """
    if type(value) is not int or not low <= value <= LARGEST_INTEGER:
        raise damaged(path, f"{name} is {_shown(value)}")
    return value


def check_real(path: Path, name: str, value: object, low: float = -LARGEST_REAL) -> float:
    """Return a value of a file that must be a number from `low` on, as a float.

    Raises:
        InputError: It is something else; True is no number.
    """
    if type(value) not in (int, float) or not low <= value <= LARGEST_REAL:  # type: ignore[operator]
        raise damaged(path, f"{name} is {_shown(value)}")
    return float(value)  # type: ignore[arg-type]


def as_score(score: float) -> float:
    """Return a game's score, before it is written where no reader would believe it.

    Raises:
        InputError: It is NaN, infinite or beyond what files hold.
    """
    if not abs(score) <= LARGEST_REAL:  # NaN too
        raise InputError(
            f"a game ended with the score {score}, which is no number that can be compared: look "
            "at the rewards that the game gives"
        )
    return score


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


def damaged(path: Path, why: str) -> InputError:
    """Make the error for a file that cannot be believed, in one line."""
    line = " ".join(why.split())
    return InputError(f"{path} is damaged ({line}): restore it, or move its run's folder away")
