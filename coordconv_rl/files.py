"""Files that others read while we write: a temporary name, then a rename, never half a file."""

from __future__ import annotations

import errno
import json
import logging
import os
import threading
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


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
