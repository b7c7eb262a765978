"""Locks that name their owner and end with it, however it ends.

An advisory lock on an open file: the kernel drops it when the last process that holds the file is
gone, so a killed launcher leaves none behind. On POSIX systems a child that inherits the descriptor
shares it (`processes.start_group`). The library `filelock` does neither: it gives no descriptor
away, and whoever is refused has by then emptied the file with the owner's name.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from coordconv_rl.files import open_regular

if sys.platform == "win32":
    import msvcrt

    FAR = 2**30  # Windows keeps others from reading what is locked, so a byte after the name is.

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, FAR, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError as error:
            raise BlockingIOError from error
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


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
        OSError: The file cannot be written, or is a link.
    """
    descriptor = open_regular(path, os.O_RDWR | os.O_CREAT)
    try:
        _lock(descriptor)
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
