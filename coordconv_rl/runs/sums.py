"""By what a run's files are seen to be whole: their lengths and digests, kept in `run.json`.

Version 0.1.0 wrote none; its folders are accepted, and `is_checked` says that they were not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from coordconv_rl.files import read_regular
from coordconv_rl.runs.layout import CONFIG_FILE, EPISODES_FILE, EVALUATION_FILE
from coordconv_rl.runs.packing import read_packable
from coordconv_rl.runs.reading import NotWhole, check_integer, damaged, digest

SUMS = "files"  # key in `run.json`
SUMMED = (CONFIG_FILE, EPISODES_FILE, EVALUATION_FILE)


@dataclass(frozen=True)
class FileSum:
    """What a file was like when it was written.

    Attributes:
        bytes: Its length.
        sha256: Its digest.
        rows: Lines below its header, of `episodes.csv`.
    """

    bytes: int
    sha256: str
    rows: int | None = None


def sum_of(data: bytes, rows: int | None = None) -> FileSum:
    """Return the sum of a file's content."""
    return FileSum(len(data), digest(data), rows)


def sums_as_json(sums: Mapping[str, FileSum]) -> dict[str, Any]:
    """Return what `run.json` holds of the sums."""
    return {name: asdict(found) for name, found in sums.items()}


def is_checked(record: Mapping[str, Any] | None) -> bool:
    """Return whether a run's `run.json` says by what its other files are seen to be whole."""
    return record is not None and SUMS in record


def read_sums(path: Path, record: Mapping[str, Any]) -> dict[str, FileSum]:
    """Return the sums that a `run.json` holds, none in one of version 0.1.0.

    Raises:
        InputError: They make no sense.
    """
    found = record.get(SUMS, {})
    if not isinstance(found, dict) or not set(found) <= set(SUMMED):
        raise damaged(path, f"its {SUMS} are {found!r:.40}")
    sums = {}
    for name, values in found.items():
        if not isinstance(values, dict) or not isinstance(values.get("sha256"), str):
            raise damaged(path, f"its sum of {name} is {values!r:.40}")
        length = check_integer(path, f"the length of {name}", values.get("bytes"))
        rows = values.get("rows")
        count = None if rows is None else check_integer(path, f"the rows of {name}", rows)
        sums[name] = FileSum(length, values["sha256"], count)
    return sums


def check_whole(folder: Path, record: Mapping[str, Any], sums: Mapping[str, FileSum]) -> None:
    """Compare a run's files with their sums.

    The episodes of a run that is not done may go on after what was summed at its last checkpoint.

    Raises:
        NotWhole: One is gone, shorter or otherwise.
    """
    for name, expected in sums.items():
        path = folder / name
        try:
            data = read_packable(path) if name == EPISODES_FILE else read_regular(path)
        except FileNotFoundError as error:
            raise NotWhole(f"{path} is gone: restore it") from error
        except OSError as error:
            found = error.filename or path  # the packed one, where that is what lies there
            raise NotWhole(f"{found} cannot be read ({error.strerror}): restore it") from error
        if name == EPISODES_FILE and record.get("status") != "done":
            data = data[: expected.bytes]
        if len(data) != expected.bytes:
            raise NotWhole(f"{path} {_lengths(data, expected)}: restore it")
        if digest(data) != expected.sha256:
            raise NotWhole(f"{path} was changed after it was written: restore it")


def _lengths(data: bytes, expected: FileSum) -> str:
    if expected.rows is None:
        return f"has {len(data):,} of {expected.bytes:,} bytes"
    rows = max(data.count(b"\n") - 1, 0)
    return f"has {rows:,} of {expected.rows:,} rows ({len(data):,} of {expected.bytes:,} bytes)"
