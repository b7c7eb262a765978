"""Commands as forks of one Python that has imported them: real processes, without 3 s to start.

They are killed, interrupted and waited for as any process; only their imports are shared. Tests of
how a command starts begin `python -m coordconv_rl` itself.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

IMPORTED = [
    "coordconv_rl.agents.inspect",
    "coordconv_rl.agents.train",
    "coordconv_rl.cli.main",
    "coordconv_rl.comparison.launch.compare",
    "coordconv_rl.comparison.report",
    "torch._dynamo",  # what every optimizer imports when it is made
]


_started: list[BaseProcess] = []


@cache
def _context() -> Any:
    known = multiprocessing.get_all_start_methods()  # without "forkserver" on Windows
    context: Any = multiprocessing.get_context("forkserver" if "forkserver" in known else "spawn")
    context.set_forkserver_preload(IMPORTED)
    return context


def _do(
    work: Callable[..., object],
    given: tuple[Any, ...],
    folder: str,
    said: tuple[str, str],
    environment: dict[str, str],
) -> None:
    """Do some work in the forked process, and write what it prints to the two files."""
    opened = {path: os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) for path in said}
    for descriptor, path in enumerate(said, start=1):  # one file for both takes them in turn
        os.dup2(opened[path], descriptor)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    work(*given)


def _be(*words: str) -> None:
    """Be the command."""
    sys.argv = ["coordconv-rl", *words]
    from coordconv_rl.cli.main import main

    code = main()
    sys.stdout.flush()
    sys.exit(code)


def call(
    work: Callable[..., object],
    *given: object,
    folder: Path,
    said: tuple[Path | str, Path | str] = (os.devnull, os.devnull),
) -> BaseProcess:
    """Start to call a module's function in a process of its own.

    Args:
        work: The function.
        given: Its arguments.
        folder: Where it works.
        said: The files that get its standard output and its standard error.
    """
    arguments = (work, given, str(folder), tuple(map(str, said)), dict(os.environ))
    process = _context().Process(target=_do, args=arguments)
    process.start()
    _started.append(process)
    return process


@atexit.register  # after multiprocessing's own, so before it, which waits for who still runs
def _end_all() -> None:
    for process in _started:
        process.kill()


def start(*words: object, folder: Path, said: tuple[Path, Path] | None = None) -> BaseProcess:
    """Start `coordconv-rl` with these words.

    Args:
        words: The command's.
        folder: Where it works.
        said: The files that get its standard output and its standard error.
    """
    files = (os.devnull, os.devnull) if said is None else said
    return call(_be, *map(str, words), folder=folder, said=files)


def run(
    *words: object, folder: Path, said: Path, timeout: float = 240
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; `said` is a folder of its own for what it prints."""
    files = said / "stdout", said / "stderr"
    process = start(*words, folder=folder, said=files)
    process.join(timeout)
    process.kill()
    assert process.exitcode is not None, f"{words} still runs after {timeout} s"
    out, err = (path.read_text() for path in files)
    return subprocess.CompletedProcess(words, process.exitcode, out, err)
