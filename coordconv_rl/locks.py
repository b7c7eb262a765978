"""Locks that name their owner and end with it, however it ends.

An advisory lock on an open file: the kernel drops it when the last process that holds the file is
gone, so a killed launcher leaves none behind. A child that inherits the descriptor shares it.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class LockedError(Exception):
    """Somebody else holds the lock; the message is what its owner wrote about itself."""


def acquire(path: Path, owner: str) -> int:
    """Lock a file without waiting and write its owner's name into it.

    Args:
        path: The lock file; it is made if missing, and stays.
        owner: Who locks it, for whoever is refused.

    Returns:
        The open descriptor; closing it in every process that has it frees the lock.

    Raises:
        LockedError: It is locked.
        OSError: The file cannot be written.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, owner.encode())
    except BlockingIOError as error:
        name = os.read(descriptor, 4096).decode(errors="replace").strip()
        os.close(descriptor)
        raise LockedError(name) from error
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
