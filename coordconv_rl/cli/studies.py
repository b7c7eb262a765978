"""The command `coordconv-rl study NAME`: train what is missing, then show what came out."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from coordconv_rl import locks
from coordconv_rl.cli.parse import Command
from coordconv_rl.errors import DISK_FULL, FAILED, INTERRUPTED, OK, InputError
from coordconv_rl.files import is_no_room, note_full_disk_in_thread, write_text_atomic
from coordconv_rl.studies import StudyName, StudyOptions

if TYPE_CHECKING:
    from rich.console import Console

    from coordconv_rl.studies.tasks import Study

LOCK_FILE = "study.lock"
NAME_FILE = "study"  # holds the name of the study that the folder is for

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunStudy(Command):
    """Run one of the paper's tasks: CoordConv against convolution.

    Attributes:
        study: coordinate-classification, coordinate-regression, rendering, translation, detection
            or generation.
        options: How to run it.
    """

    study: Annotated[StudyName, tyro.conf.Positional, tyro.conf.arg(metavar="NAME")]
    options: Annotated[StudyOptions, tyro.conf.arg(name="")] = field(default_factory=StudyOptions)

    def run(self) -> int:
        """Train all that is missing, print what came out, and leave pictures and a page.

        Returns:
            The exit code: done, a training failed, or stopped (interrupt, full disk): called
            again, it goes on.

        Raises:
            InputError: The folder is in use, cannot be written, or is another study's.
        """
        from rich.console import Console

        from coordconv_rl.studies.tasks import load_study

        task, console = load_study(self.study), Console()
        root = (self.options.folder or Path("runs") / "studies" / self.study).resolve()
        threading.excepthook = note_full_disk_in_thread
        with _hold(root, self.study):
            try:
                failures = _train(task, self.options, root, console)
                _report(task, self.options, root, console)
            except KeyboardInterrupt:
                console.print("Interrupted: saved. The same command goes on from here.")
                return INTERRUPTED
            except OSError as error:
                if not is_no_room(error):
                    raise
                log.error("Stopping: %s: %s. Make room: then it goes on.", root, error.strerror)
                return DISK_FULL
        for path in failures:
            console.print(f"failed: {path}", style="red", highlight=False)
        return FAILED if failures else OK


def _train(study: Study, options: StudyOptions, root: Path, console: Console) -> list[str]:
    """Train all that is missing, the best settings' seeds last; return the failures' paths."""
    from coordconv_rl.studies.report import ProgressWatcher
    from coordconv_rl.studies.training import Trainers, first_units, last_units, second_units

    with (
        closing(ProgressWatcher(study, root, console)) as watcher,
        Trainers(root, options.jobs, watcher) as trainers,
    ):
        failures = trainers.train(first_units(study, options))
        failures += trainers.train(second_units(study, options, root))
        failures += trainers.train(last_units(study, options, root))
    return [unit.path for unit in failures]


def _report(study: Study, options: StudyOptions, root: Path, console: Console) -> None:
    """Draw the pictures, write page and TensorBoard, and print the closing summary."""
    from coordconv_rl.studies import report
    from coordconv_rl.studies.training import Board

    rows = report.collect(study, options, root)
    found = report.ratios(study, rows)
    figures = report.draw_all(study, rows, root)
    index = report.write_page(study, rows, found, root)
    table = report.write_markdown(study, rows, found, root)
    with closing(Board(root / "summary")) as board:
        for name, figure in figures.items():
            board.picture(name.removesuffix(".png"), report.pixels(figure))
        board.table("results", table.read_text(encoding="utf-8"))
    report.show_end(study, rows, found, [index, table, *(root / name for name in figures)], console)
    console.print(f"TensorBoard: coordconv-rl tensorboard {root}", highlight=False, soft_wrap=True)


@contextmanager
def _hold(root: Path, name: str) -> Iterator[None]:
    """Keep the folder for this study and this process inside a `with` block.

    Raises:
        InputError: The folder cannot be made or written, is in use, or is another study's.
    """
    owner = f"process {os.getpid()} on {socket.gethostname()}"
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = locks.acquire(root / LOCK_FILE, owner)
    except locks.LockedError as error:
        raise InputError(f"{root} is in use by {error}: wait for it, or stop it") from error
    except OSError as error:
        raise InputError(f"{root} cannot be written ({error.strerror}): choose another") from error
    try:
        _claim(root, name)
        yield
    finally:
        os.close(lock)


def _claim(root: Path, name: str) -> None:
    """Write the study's name into its folder, or read that it is there."""
    path = root / NAME_FILE
    found = path.read_text(encoding="utf-8", errors="replace").strip() if path.exists() else ""
    if found not in ("", name):
        raise InputError(f"{root} holds the study {found}: choose another folder")
    if not found:
        write_text_atomic(path, name + "\n")
