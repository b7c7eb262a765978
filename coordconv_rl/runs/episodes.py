"""`episodes.csv`: one row for each full game that ended while training."""

from __future__ import annotations

import csv
import hashlib
import os
from collections import deque
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from coordconv_rl.errors import InputError
from coordconv_rl.files import open_regular, read_regular, write_bytes_atomic
from coordconv_rl.runs.layout import EPISODE_COLUMNS, HEADER
from coordconv_rl.runs.packing import packed_path, read_packable
from coordconv_rl.runs.reading import LARGEST_REAL, as_score, damaged, digest
from coordconv_rl.runs.sums import FileSum

EPISODE_DTYPE = np.dtype(
    [("step", np.int64), ("score", np.float64), ("frames", np.int64), ("life_loss", np.int8)]
)
RECENT = 100  # full games in the recent mean, as in SB3's ep_info_buffer


def read_kept(path: Path, kept_bytes: int, sha256: str | None = None) -> bytes:
    """Return the part of the file that a checkpoint goes on from; nothing is changed.

    Args:
        path: The file.
        kept_bytes: Its length when the checkpoint was made.
        sha256: The digest that it had; None where version 0.1.0 made the checkpoint.

    Raises:
        InputError: The file is damaged, changed, or shorter: rows were lost.
    """
    try:
        data = read_regular(path)[: max(kept_bytes, 0)]
    except FileNotFoundError:
        data = b""
    except OSError as error:
        raise damaged(path, error.strerror or str(error)) from error
    remedy = "restore the file, or start in a new folder"
    if len(data) < kept_bytes:
        raise InputError(
            f"{path} holds {len(data)} bytes, but the checkpoint was made after "
            f"{kept_bytes}: {remedy}"
        )
    if sha256 is not None and digest(data) != sha256:
        raise InputError(f"{path} was changed in its first {kept_bytes} bytes: {remedy}")
    if not (data.startswith(HEADER) and data.endswith(b"\n")):
        raise InputError(f"{path} is damaged in its first {kept_bytes} bytes: {remedy}")
    parse_episodes(path, data)
    return data


class EpisodeLog:
    """Appends rows to `episodes.csv` and remembers the most recent games.

    Args:
        path: The file.
        kept: What it holds from here on, as `read_kept` returns it; None starts a new file.
    """

    def __init__(self, path: Path, kept: bytes | None = None) -> None:
        data = HEADER if kept is None else kept
        self._path = path
        self.recent: deque[tuple[float, int]] = deque(maxlen=RECENT)
        self.count = 0
        for row in csv.DictReader(data.decode().splitlines()):
            self.recent.append((float(row["score"]), int(row["frames"])))
            self.count += 1
        self._digest = hashlib.sha256(data)
        self.bytes = len(data)
        write_bytes_atomic(path, data)
        packed_path(path).unlink(missing_ok=True)  # of an export: from here on this file holds
        self._file = os.fdopen(open_regular(path, os.O_WRONLY | os.O_APPEND), "ab", buffering=0)

    def add(self, step: int, score: float, frames: int, life_loss: bool) -> None:
        """Append one game that ended at an environment step, in a single write.

        Raises:
            InputError: Its score is no number.
        """
        row = f"{step},{as_score(score):.15g},{frames},{int(life_loss)}\n".encode()
        if self._file.write(row) != len(row):
            raise OSError(28, os.strerror(28), str(self._path))
        self._digest.update(row)
        self.bytes += len(row)
        self.recent.append((score, frames))
        self.count += 1

    @property
    def sum(self) -> FileSum:
        """By what the file is seen to be whole up to here."""
        return FileSum(self.bytes, self._digest.hexdigest(), self.count)

    @property
    def recent_score(self) -> float | None:
        """Mean raw score of the last 100 full games, or None before the first."""
        if not self.recent:
            return None
        return sum(score for score, _ in self.recent) / len(self.recent)

    @property
    def recent_frames(self) -> float:
        """Mean length of the last 100 full games in emulator frames; 0 before the first."""
        return sum(frames for _, frames in self.recent) / max(len(self.recent), 1)

    def sync(self) -> None:
        """Wait until every row is on the disk."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file; twice is fine."""
        self._file.close()


def read_episodes(path: Path) -> NDArray[np.void]:
    """Read `episodes.csv`, packed or not; a last line that is being written is left for later.

    Returns:
        A structured array with the fields of `EPISODE_DTYPE`, in rising order of steps.

    Raises:
        InputError: The file is damaged.
    """
    try:
        data = read_packable(path)
    except FileNotFoundError:
        return np.empty(0, EPISODE_DTYPE)
    except OSError as error:
        raise damaged(Path(error.filename or path), error.strerror or str(error)) from error
    return parse_episodes(path, data)


def parse_episodes(path: Path, data: bytes) -> NDArray[np.void]:
    """Return the rows of the file's content; see `read_episodes`."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
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
    if not (np.abs(rows["score"]) <= LARGEST_REAL).all():
        raise damaged(path, "a score that is no number")
    if (rows["step"] < 0).any() or (rows["frames"] < 0).any():
        raise damaged(path, "a step or a length below 0")
    return rows
