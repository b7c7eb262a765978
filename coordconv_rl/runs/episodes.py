"""`episodes.csv`: one row for each full game that ended while training."""

from __future__ import annotations

import csv
import os
from collections import deque
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from coordconv_rl.errors import InputError
from coordconv_rl.files import write_bytes_atomic
from coordconv_rl.runs.layout import EPISODE_COLUMNS
from coordconv_rl.runs.reading import damaged

HEADER = (EPISODE_COLUMNS + "\n").encode()
EPISODE_DTYPE = np.dtype(
    [("step", np.int64), ("score", np.float64), ("frames", np.int64), ("life_loss", np.int8)]
)
RECENT = 100  # full games in the recent mean, as in SB3's ep_info_buffer


class EpisodeLog:
    """Appends rows to `episodes.csv` and remembers the most recent games.

    Args:
        path: The file.
        kept_bytes: Length to cut the file to before going on; None starts a new file.

    Raises:
        InputError: The file is damaged, or shorter than `kept_bytes`: rows were lost.
    """

    def __init__(self, path: Path, kept_bytes: int | None = None) -> None:
        self.recent: deque[tuple[float, int]] = deque(maxlen=RECENT)
        self.count = 0
        data = HEADER
        if kept_bytes is not None:
            data = path.read_bytes()[:kept_bytes] if path.is_file() else b""
            if len(data) < kept_bytes:
                raise InputError(
                    f"{path} holds {len(data)} bytes, but the checkpoint was made after "
                    f"{kept_bytes}: restore the file, or start in a new folder"
                )
            try:
                self._read(data)
            except (ValueError, KeyError, TypeError, csv.Error) as error:
                raise InputError(
                    f"{path} is damaged in its first {kept_bytes} bytes: restore the file, or "
                    "start in a new folder"
                ) from error
        write_bytes_atomic(path, data)
        self._file = path.open("ab", buffering=0)
        self.bytes = len(data)

    def _read(self, data: bytes) -> None:
        if not (data.startswith(HEADER) and data.endswith(b"\n")):
            raise ValueError("no header, or no end of a line")
        for row in csv.DictReader(data.decode().splitlines()):
            self.recent.append((float(row["score"]), int(row["frames"])))
            self.count += 1

    def add(self, step: int, score: float, frames: int, life_loss: bool) -> None:
        """Append one game that ended at an environment step, in a single write."""
        row = f"{step},{score:.15g},{frames},{int(life_loss)}\n".encode()
        if self._file.write(row) != len(row):
            raise OSError(28, os.strerror(28), self._file.name)
        self.bytes += len(row)
        self.recent.append((score, frames))
        self.count += 1

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
