"""Files that others read while we write, in folders that a stranger may have made.

A file is written under a temporary name and renamed, so that nobody ever reads half of it. Links
are not followed: one in a stranger's folder could make us write, cut or lock what it points to.
"""

from __future__ import annotations

import errno
import glob
import hashlib
import json
import logging
import os
import re
import shutil
import stat
import sys
import tempfile
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from coordconv_rl.errors import InputError

log = logging.getLogger(__name__)

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_SAFE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NEVER_WAIT = getattr(os, "O_NONBLOCK", 0)  # for a writer, as a pipe would have one do
_TEMPORARY = re.compile(r"\.(.+)\.(\d+)\.tmp")


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


def is_forbidden(error: BaseException | None) -> bool:
    """Return whether an error means that this user may not write there, or that nobody may."""
    return isinstance(error, OSError) and error.errno in FORBIDDEN


def check_writable(folder: Path) -> None:
    """Raise `InputError` if this user cannot write to a folder: before work that would be lost."""
    if not os.access(folder, os.W_OK):
        raise InputError(f"cannot write to {folder}: copy it to where you may, or change its mode")


def note_full_disk_in_thread(failed: threading.ExceptHookArgs) -> None:
    """Note in the log that a thread met a full disk; everything else is printed as ever.

    A `threading.excepthook` for programs whose threads write (TensorBoard's do): what such a thread
    meets, the main thread meets at its next own write, and says so once.
    """
    if is_no_room(failed.exc_value):
        log.debug("a thread met a full disk: %s", failed.exc_value)
    else:
        threading.__excepthook__(failed)


def read_regular(path: Path) -> bytes:
    """Read a file that is neither a link nor a folder, nor a pipe that nobody would fill.

    Raises:
        FileNotFoundError: There is none.
        OSError: It is something else, or cannot be read.
    """
    descriptor = open_regular(path, os.O_RDONLY | _NEVER_WAIT)
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def open_regular(path: Path, flags: int) -> int:
    """Open a regular file without following a link, and return its descriptor.

    Args:
        path: The file.
        flags: As of `os.open`; with `os.O_CREAT` it is made, for its owner to write.

    Raises:
        OSError: It is a link, a folder or a device, or cannot be opened.
    """
    try:
        descriptor = os.open(path, flags | _SAFE, 0o644)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK):
            raise OSError(error.errno, "it is a link, which is not followed", str(path)) from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    return descriptor


def write_bytes_atomic(path: Path, data: bytes) -> None:
    """Write `data` under a temporary name beside `path`, flush it to the disk, then rename it.

    A link at `path` is replaced; what it points to stays as it is.

    Raises:
        OSError: The folder is missing, cannot be written, or the disk is full; `path` is as before.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.unlink(missing_ok=True)  # of a killed process that had this one's number
        descriptor = open_regular(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def file_beside(path: Path) -> Iterator[Path]:
    """Yield a name in a new folder beside `path` for a library to write to; rename it from there.

    Libraries follow links, and in a stranger's folder one may lie under any name that can be known
    before. The folder is removed at the end, and one that a killed process left before the start.

    Args:
        path: The file to be; the yielded one ends as it does.
    """
    prefix = f".{path.name}."
    for left in path.parent.glob(f"{glob.escape(prefix)}*.partial"):
        if not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=prefix, suffix=".partial") as folder:
        yield Path(folder) / f"file{path.suffix}"


def write_text_atomic(path: Path, text: str) -> None:
    """Write text as UTF-8, as `write_bytes_atomic` does."""
    write_bytes_atomic(path, text.encode())


def write_json_atomic(path: Path, value: Any) -> None:
    """Write a value as indented JSON, as `write_bytes_atomic` does; NaN is refused."""
    write_text_atomic(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def clear_temporaries(folder: Path, names: Collection[str] | None = None) -> None:
    """Remove what a kill in the middle of `write_bytes_atomic` left in a folder.

    Call it only where nobody else writes these files now.

    Args:
        folder: The folder; nothing below it is looked at.
        names: The files whose temporary ones go; None for all.
    """
    for path in folder.glob(".*.tmp"):
        found = _TEMPORARY.fullmatch(path.name)
        if found and (names is None or found.group(1) in names):
            path.unlink(missing_ok=True)


def clear_left_behind(folder: Path, names: Collection[str] | None = None) -> None:
    """Remove what killed processes of this machine left of half-written files in a folder.

    Others may write there now: what a living process writes stays, by the number in its name.

    Args:
        folder: The folder; nothing below it is looked at.
        names: The files whose temporary ones go; None for all.
    """
    if sys.platform == "win32":  # there nobody can be asked for without being disturbed
        return
    for path in folder.glob(".*.tmp"):
        found = _TEMPORARY.fullmatch(path.name)
        if found and (names is None or found.group(1) in names) and not _lives(int(found.group(2))):
            path.unlink(missing_ok=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # somebody else's
        pass
    return True


def refuse_links(folder: Path) -> None:
    """Look through a folder before anything in it is written.

    The folder itself may be a link, since its user named it; one inside that leads out of it is
    somebody else's choice.

    Raises:
        InputError: A link in it leads out of it.
    """
    top = folder.resolve()
    waiting = [folder]
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except (FileNotFoundError, NotADirectoryError):
            continue
        for entry in entries:
            if entry.is_symlink():
                _check_link(Path(entry.path), top)
            elif entry.is_dir(follow_symlinks=False):
                waiting.append(Path(entry.path))


def _check_link(path: Path, top: Path) -> None:
    try:
        target = path.resolve()
    except (OSError, RuntimeError):  # a circle
        target = Path(os.readlink(path))
    if not target.is_relative_to(top):
        raise InputError(
            f"{path} is a link to {target}, outside of its folder: put the file or folder itself "
            "there, or remove the link"
        )
