"""Each file of a comparison, damaged in each way, met by what reads whole comparisons.

A command does its work, or says one line; no file of the comparison ever changes, nothing outside
of it is touched, and a pipe holds nobody up. The folder's runs are made up; `test_damage` has real
ones, and the commands about one agent.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from synthetic import make_experiment, write_inspection

from coordconv_rl.comparison import export_comparison, plan
from coordconv_rl.comparison.launch import print_status, run_comparison
from coordconv_rl.comparison.launch.options import LaunchOptions
from coordconv_rl.comparison.results import read_results
from coordconv_rl.comparison.tensorboard import Aggregates
from coordconv_rl.configs import make_run_id, to_yaml
from coordconv_rl.errors import InputError

RUN, OTHER = "ppo/Pong/coordconv/seed-1", "ppo/Pong/shuffled/seed-2"
FILES = ("experiment.yaml", "ledger.jsonl", *(f"{RUN}/{name}" for name in (
    "run.json", "config.yaml", "episodes.csv", "evaluation.json", "inspection.json",
)))  # fmt: skip


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Path:
    """A comparison of four runs, all done and inspected."""
    folder = tmp_path_factory.mktemp("sound") / "made-up"
    made = make_experiment(folder, games=("Pong",), arms=("coordconv", "shuffled"), seeds=(1, 2))
    for config in plan.expand(made):
        (folder / config.run_id / "config.yaml").write_text(to_yaml(config))
    for key in plan.run_keys(made):
        scores = {"scores": [1.0], "mean": 1.0, "std": 0.0, "human_normalised": None, "cut": 0}
        names = ("trained", "zeroed", "permuted")
        write_inspection(folder, key, scores=dict.fromkeys(names, scores), run=make_run_id(*key))
    return folder


def number(text: str) -> Callable[[str], str]:
    """Put something in the place of a file's last number; a seal in a comment is left out."""

    def put(whole: str) -> str:
        plain = "".join(line for line in whole.splitlines(True) if not line.startswith("#"))
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
    "twice": lambda whole: whole + whole,
}
OTHERS = ("not UTF-8", "swapped", "folder", "link out", "pipe", "gone")


def hurt(folder: Path, name: str, how: str, outside: Path) -> None:
    path = folder / name
    data = path.read_bytes()
    if how in TEXTS:
        path.write_text(TEXTS[how](data.decode()))
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


@pytest.mark.parametrize("how", [*TEXTS, *OTHERS])
@pytest.mark.parametrize("name", FILES)
def test_what_reads_a_damaged_comparison_refuses_it_or_works(sound, tmp_path, name, how, capsys):
    folder, outside = tmp_path / "made-up", tmp_path / "outside"
    shutil.copytree(sound, folder)
    experiment = plan.read_experiment(sound)
    hurt(folder, name, how, outside)
    before = whole_of(folder)
    kept = outside.read_bytes() if outside.exists() else None
    copy = tmp_path / "copy"
    said = {
        "status": met(lambda: print_status(folder)),
        "export": met(lambda: export_comparison(folder, copy)),
        "dry run": met(lambda: run_comparison(experiment, folder, jobs=1,
                                              options=LaunchOptions(dry_run=True))),
    }  # fmt: skip
    assert whole_of(folder) == before
    assert not list(tmp_path.glob(".*"))
    assert copy.exists() == (said["export"] is None)
    if copy.exists():
        assert met(lambda: read_results(copy)) is None
    said["tensorboard"] = met(lambda: draw(folder))
    assert (outside.read_bytes() if outside.exists() else None) == kept
    capsys.readouterr()
    print(json.dumps([name, how, said]))
