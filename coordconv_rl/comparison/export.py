"""A comparison without its checkpoints: small enough to publish, whole enough to go on with.

A checkpoint is some 21 MB, everything else about a run some 100 kB. The episodes of a run that is
done are packed; drawings and TensorBoard's files are not copied, for they can be made again from
the rest. Reports, TensorBoard and a later growth of the comparison work on the copy; watching,
inspecting or lengthening an agent does not, as that needs its weights. `sha256sum --check
SHA256SUMS` tells later whether it is whole.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from coordconv_rl.comparison.plan import read_experiment
from coordconv_rl.comparison.results import Results, read_results
from coordconv_rl.errors import InputError
from coordconv_rl.files import read_regular, write_text_atomic
from coordconv_rl.runs import (
    CONFIG_FILE,
    EPISODES_FILE,
    EVALUATION_FILE,
    EXPERIMENT_FILE,
    INSPECTION_FILE,
    LEDGER_FILE,
    PACKED,
    RECORD_FILE,
    pack_episodes,
    peek_record,
    read_episodes,
)

DIGESTS_FILE = "SHA256SUMS"
EXPORTED_FILES = (
    CONFIG_FILE,
    RECORD_FILE,
    EPISODES_FILE,
    EPISODES_FILE + PACKED,  # of an export that is exported
    EVALUATION_FILE,
    INSPECTION_FILE,
    "*-at-*.json",  # of a training that was lengthened since
    "evaluations/*.json",  # by hand
)


@dataclass(frozen=True)
class Exported:
    """What an export holds.

    Attributes:
        folder: Where it is.
        files: How many files were copied.
        bytes: Their size.
        whole: The size of the folder that they come from.
        done: How many of the planned runs are done.
        planned: How many there are.
    """

    folder: Path
    files: int
    bytes: int
    whole: int
    done: int
    planned: int

    def __str__(self) -> str:
        """What the command prints."""
        share = self.bytes / max(1, self.whole)
        return (
            f"{self.folder}: {self.done} of {self.planned} runs done; {self.files:,} files, "
            f"{self.bytes / 1e3:,.0f} kB, {share:.2%} of {self.whole / 1e6:,.1f} MB"
        )


def export_comparison(folder: Path, destination: Path) -> Exported:
    """Copy a comparison without checkpoints, logs and TensorBoard's files.

    Args:
        folder: The experiment's folder; it may still be running.
        destination: Where to; it must not exist. It appears at once, when all of it is there.

    Raises:
        InputError: The folder holds no experiment, a damaged file or links to outside; the
            destination exists, is inside the folder, or cannot be written.
    """
    found = read_results(folder)
    if destination.exists():
        raise InputError(f"{destination} exists: name a folder that does not")
    if destination.absolute().is_relative_to(found.folder.absolute()):
        raise InputError(f"{destination} is inside {folder}: name a folder outside it")
    part = destination.with_name(f".{destination.name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)  # of an export that was killed
        part.mkdir(parents=True)
        digests = _copy(found, part)
        write_text_atomic(part / DIGESTS_FILE, digests)
        for run in found.runs:
            read_episodes(part / run.run_id / EPISODES_FILE)  # refuses what is damaged
        copied = read_results(part)
        os.sync()
        part.replace(destination)
    except OSError as error:
        why = f"{error.strerror} ({error.filename})" if error.filename else error.strerror
        raise InputError(f"cannot export to {destination}: {why}") from error
    except InputError as error:  # what can be restored is the file that was copied
        raise InputError(str(error).replace(str(part), str(folder))) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    read_experiment(destination)  # what was written can be read
    done = sum(run.status == "done" for run in copied.runs)
    return Exported(
        folder=destination,
        files=digests.count("\n"),
        bytes=_size(destination),
        whole=_size(found.folder),
        done=done,
        planned=len(found.runs),
    )


def _copy(found: Results, target: Path) -> str:
    """Copy every file of the export, and return their digests as `sha256sum` writes them."""
    digests = []
    root = found.folder.resolve()
    for path in _sources(found):
        name = path.relative_to(found.folder).as_posix()
        if not path.resolve().is_relative_to(root):
            raise InputError(f"{path} is a link to outside {found.folder}: remove it first")
        data = read_regular(path)  # no pipe that nobody would fill
        if path.suffix in {".jsonl", ".csv"}:  # a line that is being written comes next time
            data = data[: data.rfind(b"\n") + 1]
        if path.name == EPISODES_FILE and _is_done(path.parent):  # what goes on is written to
            packed = pack_episodes(data)
            if packed is not None:  # else it is damaged: it comes as it is, and is named later
                name, data = name + PACKED, packed
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes(data)
        digests.append(f"{hashlib.sha256(data).hexdigest()}  {name}\n")
    return "".join(digests)


def _is_done(folder: Path) -> bool:
    record = peek_record(folder)
    return record is not None and record["status"] == "done"


def _sources(found: Results) -> Iterator[Path]:
    for name in (EXPERIMENT_FILE, LEDGER_FILE):
        if (found.folder / name).is_file():
            yield found.folder / name
    runs = [run.run_id for run in found.runs]
    for run in (*runs, *found.left_out):
        folder = found.folder / run
        for pattern in EXPORTED_FILES:
            if pattern != EPISODES_FILE + PACKED or not (folder / EPISODES_FILE).exists():
                yield from sorted(folder.glob(pattern))


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())
