"""The command `coordconv-rl study NAME`: train what is missing, then show what came out."""

from __future__ import annotations

import fcntl
from contextlib import closing
from pathlib import Path
from typing import TextIO

from rich.console import Console

from coordconv_rl.errors import InputError, unknown
from coordconv_rl.studies import STUDIES, StudyOptions
from coordconv_rl.studies.report import ProgressWatcher, close
from coordconv_rl.studies.tasks import Study
from coordconv_rl.studies.training import first_units, last_units, load_study, train_all

INTERRUPTED = 130


def run(name: str, options: StudyOptions) -> int:
    """Run a study; see `coordconv_rl.studies.run_study`."""
    if name not in STUDIES:
        raise unknown("study", name, STUDIES)
    study, console = load_study(name), Console()
    root = (options.folder or Path("runs") / "studies" / name).resolve()
    with _claim(root, name):
        try:
            failures = _train(study, options, root, console)
        except KeyboardInterrupt:
            console.print("Interrupted: saved. The same command goes on from here.")
            return INTERRUPTED
        _report(study, options, root, console)
    for path in failures:
        console.print(f"failed: {path}", style="red", highlight=False)
    return 1 if failures else 0


def _train(study: Study, options: StudyOptions, root: Path, console: Console) -> list[str]:
    """Train all that is missing, best settings' other seeds last; return the failures' paths."""
    with closing(ProgressWatcher(study, root, console)) as watcher:
        failures = train_all(first_units(study, options), root, options.jobs, watcher)
        failures += train_all(last_units(study, options, root), root, options.jobs, watcher)
    return [unit.path for unit in failures]


def _report(study: Study, options: StudyOptions, root: Path, console: Console) -> None:
    """Draw the pictures, write page and TensorBoard, and print the closing summary."""
    from coordconv_rl.studies.report import page, pictures, results
    from coordconv_rl.studies.training import Board

    rows = results.collect(study, options, root)
    found = results.ratios(study, rows)
    figures = pictures.draw_all(study, rows, root)
    index = page.write_page(study, rows, found, root)
    table = page.write_markdown(study, rows, found, root)
    with closing(Board(root / "summary")) as board:
        for name, figure in figures.items():
            board.picture(name.removesuffix(".png"), pictures.pixels(figure))
        board.table("results", table.read_text(encoding="utf-8"))
    close(study, rows, found, [index, table, *(root / name for name in figures)], console)
    console.print(f"TensorBoard: coordconv-rl tensorboard {root}", highlight=False, soft_wrap=True)


def _claim(root: Path, name: str) -> TextIO:
    """Open and lock the file that names the folder's study; closing it unlocks.

    One study a folder, one process at a time.

    Raises:
        InputError: The folder cannot be made or written, is in use, or is another study's.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        file = (root / "study").open("a+")
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InputError(f"{root} is in use by another study: wait for it, or stop it") from error
    except OSError as error:
        raise InputError(f"{root} cannot be written ({error.strerror}): choose another") from error
    file.seek(0)
    owner = file.read().strip()
    if owner not in ("", name):
        file.close()
        raise InputError(f"{root} holds the study {owner}: choose another folder")
    if not owner:
        file.write(name + "\n")
        file.flush()
    return file
