"""Child processes: Python commands that import nothing from the working folder, and their groups.

A user's working folder may hold a `json.py` or `queue.py`, and Python puts that folder first on the
path of `python -m` and `python -c`. `python -P` exists from Python 3.11 on only, and `-I` loses
`PYTHONPATH`; so a child gets this process's own path, without the working folder.
"""

from __future__ import annotations

import ctypes
import os
import shlex
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import util
from pathlib import Path
from typing import Any

HOME = str(Path(__file__).parents[1])
"""The folder that holds the package: site-packages, or a checkout."""

_AS_MODULE = (
    "import runpy; del sys.argv[:sys.argv.index('-m') + 1]; "
    "runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"
)

SHARES_LOCKS = sys.platform != "win32"
"""Whether a child shares a lock whose descriptor it inherits (`locks`)."""


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def import_path() -> list[str]:
    """Return `sys.path` as text (entries may be bytes or `pathlib.Path`), for a child.

    The working folder is left out. If this package lies in it, it comes last, behind the standard
    library and what is installed; Python's own folders stay wherever one works.
    """
    here = _real(os.curdir)
    own = {_real(path) for path in sysconfig.get_paths().values()}
    kept: dict[str, str] = {}
    for entry in map(os.fsdecode, sys.path):
        real = _real(entry)
        if real != here or real in own:
            kept.setdefault(real, entry)
    kept.setdefault(_real(HOME), HOME)
    return list(kept.values())


def _real(path: str) -> str:
    try:
        return os.path.realpath(path)
    except FileNotFoundError:  # It is relative, and the working folder is gone.
        return ""


def python_command(code: str, *words: str, trusted: Path | None = None) -> tuple[str, ...]:
    """Return the command that runs `code` in a new Python with this process's `import_path`.

    Args:
        code: A statement, or several in one line.
        words: What it finds in `sys.argv[1:]`.
        trusted: A folder of the user's own modules, for the path's end: nothing there hides what
            is installed.
    """
    path = [*import_path(), *([str(trusted)] if trusted is not None else [])]
    return (sys.executable, "-c", f"import sys; sys.path[:] = {path!r}; {code}", *words)


def package_command(*words: str, trusted: Path | None = None) -> tuple[str, ...]:
    """Return the command for `coordconv-rl` with these words; `trusted` as in `python_command`."""
    code = "from coordconv_rl.cli import run_command_line as run; sys.exit(run())"
    return python_command(code, *words, trusted=trusted)


def serving_command(*words: str, trusted: Path | None = None) -> tuple[str, ...]:
    """Return the command that serves `coordconv-rl` with these words, a folder at a time."""
    code = "from coordconv_rl.cli import serve_folders as serve; sys.exit(serve())"
    return python_command(code, *words, trusted=trusted)


def shell_python() -> str:
    """Return what stands for `python` where a library's shell command says `python -m MODULE ...`.

    What it runs has this process's `import_path`. Options before `-m` have no effect.
    """
    return shlex.join(python_command(_AS_MODULE))


@contextmanager
def clean_spawning() -> Iterator[None]:
    """Let what `multiprocessing` spawns inside a `with` block ignore the working folder too."""
    path, flags = sys.path[:], util._args_from_interpreter_flags  # type: ignore[attr-defined]
    flag = "-P" if sys.version_info >= (3, 11) else "-I"  # what it spawns gets its path later
    sys.path[:] = import_path()
    util._args_from_interpreter_flags = lambda: [*flags(), flag]  # type: ignore[attr-defined]
    try:
        yield
    finally:
        sys.path[:] = path
        util._args_from_interpreter_flags = flags  # type: ignore[attr-defined]


def start_group(
    command: Sequence[str], *, share: Sequence[int] = (), **options: Any
) -> subprocess.Popen[bytes]:
    """Start a process in a group of its own, so that Ctrl-C reaches this process alone.

    Args:
        command: The program and its arguments.
        share: Descriptors that it inherits; none on Windows.
        options: Of `subprocess.Popen`.
    """
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP
        return subprocess.Popen(command, creationflags=flags, **options)
    return subprocess.Popen(command, start_new_session=True, pass_fds=share, **options)


def interrupt(process: subprocess.Popen[bytes]) -> None:
    """Ask a process that `start_group` started to save and end."""
    if process.poll() is not None:
        return
    if sys.platform == "win32":
        process.send_signal(signal.CTRL_BREAK_EVENT)
    else:
        process.send_signal(signal.SIGINT)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End what is left of the group of a process that `start_group` started, at once.

    Windows ends the process alone: environment workers need a POSIX system.
    """
    if sys.platform == "win32":
        process.kill()
        return
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def has_parent(pid: int) -> bool:
    """Return whether process `pid` started this one and still lives."""
    if os.getppid() != pid:
        return False
    if sys.platform == "win32":  # There a process keeps a dead parent's id.
        kernel, synchronize, still_running = ctypes.windll.kernel32, 0x100000, 0x102
        handle = kernel.OpenProcess(synchronize, False, pid)
        alive = bool(handle) and kernel.WaitForSingleObject(handle, 0) == still_running
        kernel.CloseHandle(handle)
        return alive
    return True
