"""A made-up comparison, each way to damage one of its files, and what the commands say of it."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from synthetic import make_experiment

from coordconv_rl.comparison import plan
from coordconv_rl.comparison.results import read_results
from coordconv_rl.comparison.tensorboard import Aggregates
from coordconv_rl.configs import to_yaml
from coordconv_rl.errors import InputError
from coordconv_rl.runs import TREATMENTS
from coordconv_rl.runs.reading import write_sealed
from coordconv_rl.runs.sums import SUMMED, sum_of, sums_as_json

RUN, OTHER = "ppo/Pong/coordconv/seed-1", "ppo/Pong/shuffled/seed-2"


def make_whole(folder: Path) -> None:
    """Write a comparison of four runs, all done and inspected."""
    made = make_experiment(folder, games=("Pong",), arms=("coordconv", "shuffled"), seeds=(1, 2))
    for config in plan.expand(made):
        run = folder / config.run_id
        (run / "config.yaml").write_text(to_yaml(config))
        kept = {name: (run / name).read_bytes() for name in SUMMED}
        sums = {name: sum_of(data) for name, data in kept.items()}
        record = json.loads((run / "run.json").read_text()) | {"files": sums_as_json(sums)}
        write_sealed(run / "run.json", record)
        scores = {"scores": [1.0], "mean": 1.0, "std": 0.0, "human_normalised": None, "cut": 0}
        inspection = {"format": 1, "run": config.run_id, "share": 0.2, "frame_cap": 18_000}
        found = inspection | {"scores": dict.fromkeys(TREATMENTS, scores), "episodes": 1}
        write_sealed(run / "inspection.json", found)


STEPS = re.compile(r"(\bsteps\"?: )\d+")


def unsealed(whole: str) -> str:
    """Return a file that says its steps without its seal, so that these are looked at."""
    if not STEPS.search(whole):
        return whole
    plain = "".join(line for line in whole.splitlines(True) if not line.startswith("#"))
    return re.sub(r',\s*"sha256": "\w{64}"\s*\}\s*$', "}", plain)


def number(text: str) -> Callable[[str], str]:
    """Put something in the place of a file's last number; a seal is left out."""

    def put(whole: str) -> str:
        plain = "".join(line for line in whole.splitlines(True) if not line.startswith("#"))
        plain = re.sub(r',\s*"sha256": "\w{64}"\s*\}\s*$', "}", plain)
        last = list(re.finditer(r"(?<![\w-])\d+(\.\d+)?(?![\w-])", plain))[-1]
        return plain[: last.start()] + text + plain[last.end() :]

    return put


def rows(whole: str) -> str:
    lines = whole.splitlines(True)
    return "".join(lines[: len(lines) // 2])


def sealed(whole: str) -> str:
    """Return a JSON object, or each line's, with a digest that is not its own."""
    return re.sub(r"\}\s*$", ', "sha256": "' + "0" * 64 + '"}\n', whole)


TEXTS: dict[str, Callable[[str], str]] = {
    "empty": lambda whole: "",
    "cut": lambda whole: whole[: len(whole) // 2],
    "half its rows": rows,
    "NaN": number("NaN"),
    "1e999": number("1e999"),
    "huge": number("9" * 400),
    "below zero": number("-3"),
    "text for a number": number('"seven"'),
    "a list": lambda whole: "[1, 2]\n",
    "another version": lambda whole: re.sub(r'("format": |format: )\d+', r"\g<1>99", whole),
    "another digest": sealed,
    "huge steps": lambda whole: STEPS.sub(r"\g<1>" + "9" * 400, unsealed(whole)),
}
OTHERS = ("noise", "not UTF-8", "swapped", "folder", "link out", "pipe", "gone")


def hurt(folder: Path, name: str, how: str, outside: Path) -> None:
    path = folder / name
    data = path.read_bytes()
    if how in TEXTS:
        path.write_bytes(TEXTS[how](data.decode("latin-1")).encode("latin-1"))
    elif how == "noise":
        path.write_bytes(random.Random(1).randbytes(200))
    elif how == "not UTF-8":
        path.write_bytes(data[:5] + b"\xff\xfe" + data[5:])
    elif how == "swapped":
        other = folder / (name.replace(RUN, OTHER) if RUN in name else f"{OTHER}/config.yaml")
        path.write_bytes(other.read_bytes())
    else:
        path.unlink()
        if how == "folder":
            path.mkdir()
        elif how == "pipe":
            os.mkfifo(path)
        elif how == "link out":
            outside.write_bytes(data)
            path.symlink_to(outside)


def met(command: Callable[[], object]) -> str | None:
    """Return what a command refuses, in one line; None if it does its work."""
    try:
        command()
    except InputError as error:
        said = str(error)
    else:
        return None
    assert "\n" not in said.strip()
    return said


def draw(folder: Path) -> None:
    """Draw TensorBoard's lines of a comparison."""
    with Aggregates(folder) as board:
        board.update((), now=True)


def named(folder: Path) -> None:
    """Raise what a comparison's results say of a run that is not whole."""
    for run in read_results(folder).runs:
        if run.status != "done":
            raise InputError(f"{run.run_id} {run.status}: {run.reason}")


def whole_of(folder: Path) -> dict[str, object]:
    """Everything below a folder, links and pipes by what they are."""
    pipes = [path for path in folder.rglob("*") if path.is_fifo()]
    known = {path: path.lstat() for path in pipes}
    return {
        path.relative_to(folder).as_posix(): (
            known[path].st_ino if path in known else path.read_bytes() if path.is_file() else None
        )
        for path in sorted(folder.rglob("*"))
    }


def heal(folder: Path, name: str, whole: Path, outside: Path) -> None:
    """Put a file back as it was."""
    path = folder / name
    if path.is_dir():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)
    shutil.copy(whole / name, path)
    outside.unlink(missing_ok=True)
