"""Files that others read while we write: a temporary name, then a rename, never half a file."""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import threading
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


SEAL_START = "# Whole only with its last line, which has the SHA-256 of all lines above it.\n"
SEAL_END = "# sha256: "


def sealed(text: str) -> str:
    """Return YAML text between two comments by which `is_whole` sees that nothing is missing.

    A YAML file that was cut at the end of a line is mostly valid YAML, and says less than it did.
    """
    text = SEAL_START + text
    return f"{text}{SEAL_END}{hashlib.sha256(text.encode()).hexdigest()}\n"


def is_whole(text: str) -> bool:
    """Return whether text that `sealed` made is as it was; text that never was sealed is taken."""
    body, mark, digest = text.rpartition(SEAL_END)
    if not mark:
        return not text.startswith(SEAL_START[:20])
    wanted = hashlib.sha256(body.encode()).hexdigest()
    return body.startswith(SEAL_START) and digest == f"{wanted}\n"


def is_no_room(error: BaseException | None) -> bool:
    """Return whether an error means that the disk, or this user's share of it, is full."""
    return isinstance(error, OSError) and error.errno in NO_ROOM


def note_full_disk_in_thread(failed: threading.ExceptHookArgs) -> None:
    """Note in the log that a thread met a full disk; everything else is printed as ever.

    A `threading.excepthook` for programs whose threads write (TensorBoard's do): what such a thread
    meets, the main thread meets at its next own write, and says so once.
    """
    if is_no_room(failed.exc_value):
        log.debug("a thread met a full disk: %s", failed.exc_value)
    else:
        threading.__excepthook__(failed)


def write_bytes_atomic(path: Path, data: bytes) -> None:
    """Write `data` under a temporary name beside `path`, flush it to the disk, then rename it.

    Raises:
        OSError: The folder is missing, cannot be written, or the disk is full; `path` is as before.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text_atomic(path: Path, text: str) -> None:
    """Write text as UTF-8, as `write_bytes_atomic` does."""
    write_bytes_atomic(path, text.encode())


def write_json_atomic(path: Path, value: Any) -> None:
    """Write a value as indented JSON, as `write_bytes_atomic` does; NaN is refused."""
    write_text_atomic(path, json.dumps(value, indent=2, allow_nan=False) + "\n")
