"""`episodes.csv` packed by bzip2, as an export holds it; read as if it were not packed.

A run of MinAtar has tens of thousands of short games, and their rows are nearly all of its export.
In a packed file each row gives by how much `step` rose since the row above, for steps themselves
never repeat and differences do. bzip2, which sorts like by like, makes 14 kB of a run's rows then,
where xz makes 32 of the file as it is. `bzip2 --decompress` shows them anywhere, and pandas reads
them (`cumsum` gives the steps).
"""

from __future__ import annotations

import bz2
import errno
import re
from itertools import accumulate
from pathlib import Path

from coordconv_rl.files import read_regular
from coordconv_rl.runs.layout import HEADER, PACKED

LARGEST = 2**28  # bytes of a file that is unpacked: a stranger's may be made to grow without end
_PACKED_HEADER = b"step_increase," + HEADER.partition(b",")[2]
_ROW = re.compile(rb"(0|[1-9][0-9]{0,15})(,[^\n]*)\n")  # a step, and the rest of its row


def packed_path(path: Path) -> Path:
    """Return where a file is when it is packed."""
    return path.with_name(path.name + PACKED)


def pack_episodes(data: bytes) -> bytes | None:
    """Return what is kept of the file's content; the same always becomes the same.

    None where unpacking would not give back every byte: such a file is damaged, and stays as it is.
    """
    rows = _ROW.findall(data, len(HEADER))
    steps = [int(step) for step, _ in rows]
    increases = [after - before for before, after in zip([0, *steps], steps, strict=False)]
    if any(increase < 0 for increase in increases):
        return None
    body = b"".join(
        b"%d%b\n" % (increase, rest) for increase, (_, rest) in zip(increases, rows, strict=True)
    )
    packed = bz2.compress(_PACKED_HEADER + body)
    return packed if _steps_again(_PACKED_HEADER + body) == data else None


def _steps_again(data: bytes) -> bytes:
    """Return the content of `episodes.csv` from unpacked rows with increases of steps.

    Raises:
        ValueError: These are no such rows.
    """
    rows = _ROW.findall(data, len(_PACKED_HEADER))
    steps = accumulate(int(increase) for increase, _ in rows)
    length = len(_PACKED_HEADER) + sum(len(step) + len(rest) + 1 for step, rest in rows)
    if not data.startswith(_PACKED_HEADER) or length != len(data):
        raise ValueError("it holds no packed episodes")
    return HEADER + b"".join(
        b"%d%b\n" % (step, rest) for step, (_, rest) in zip(steps, rows, strict=True)
    )


def read_packable(path: Path) -> bytes:
    """Read `episodes.csv`, or unpack the packed one beside it where it is not there itself.

    Raises:
        FileNotFoundError: There is neither.
        OSError: It is no regular file, cannot be read, or cannot be unpacked; it names which.
    """
    try:
        return read_regular(path)
    except FileNotFoundError:
        packed = packed_path(path)
        compressed = read_regular(packed)
    reader = bz2.BZ2Decompressor()
    try:
        data = reader.decompress(compressed, LARGEST)
    except OSError as error:
        raise OSError(errno.EINVAL, "it cannot be unpacked", str(packed)) from error
    if not reader.eof or reader.unused_data:
        why = "too large" if len(data) >= LARGEST else "cut, or more than one"
        raise OSError(errno.EINVAL, f"it is {why}", str(packed))
    try:
        return _steps_again(data)
    except ValueError as error:
        raise OSError(errno.EINVAL, str(error), str(packed)) from error
