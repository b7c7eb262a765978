"""A run's long file packed by xz, as an export holds it; read as if it were not packed.

A run of MinAtar has tens of thousands of short games, and their rows are nearly all of its export.
`xz --decompress` opens such a file anywhere, and pandas reads it as it is.
"""

from __future__ import annotations

import errno
import lzma
from pathlib import Path

from coordconv_rl.files import read_regular
from coordconv_rl.runs.layout import PACKED

LARGEST = 2**28  # bytes of a file that is unpacked: a stranger's may be made to grow without end


def packed_path(path: Path) -> Path:
    """Return where a file is when it is packed."""
    return path.with_name(path.name + PACKED)


def pack_file(data: bytes) -> bytes:
    """Return what xz makes of a file's content at its best; the same always becomes the same."""
    return lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)


def read_packable(path: Path) -> bytes:
    """Read a file, or unpack the packed one beside it where it is not there itself.

    Raises:
        FileNotFoundError: There is neither.
        OSError: It is no regular file, cannot be read, or cannot be unpacked; it names which.
    """
    try:
        return read_regular(path)
    except FileNotFoundError:
        packed = packed_path(path)
        compressed = read_regular(packed)
    reader = lzma.LZMADecompressor(lzma.FORMAT_XZ)
    try:
        data = reader.decompress(compressed, LARGEST)
    except (lzma.LZMAError, EOFError) as error:
        raise OSError(errno.EINVAL, "it cannot be unpacked", str(packed)) from error
    if not reader.eof or reader.unused_data:
        why = "too large" if len(data) >= LARGEST else "cut, or more than one"
        raise OSError(errno.EINVAL, f"it is {why}", str(packed))
    return data
