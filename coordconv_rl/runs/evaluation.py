"""Scores of fresh games: a run's own `evaluation.json`, those by hand, and games so far.

A run's own evaluation is written once, at its end, and never again: reports rest on it. One by hand
is a record of its own in `evaluations/`, which says what was played.
"""

from __future__ import annotations

import json
import math
import os
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from coordconv_rl.files import (
    clear_left_behind,
    open_regular,
    read_regular,
    write_bytes_atomic,
)
from coordconv_rl.runs.layout import EVALUATIONS_FOLDER
from coordconv_rl.runs.reading import (
    as_score,
    check_integer,
    check_real,
    damaged,
    read_json,
    write_sealed,
)

ACTIONS = ("stochastic", "greedy")  # the two ways to act
COUNTS = ("step", "episodes", "seed", "still_frames", "still")
CLOSE = 1e-9  # relative: how far a mean may be from that of its scores, by rounding


@dataclass(frozen=True)
class GameEnd:
    """One game that was played.

    Attributes:
        actions: "stochastic" (sampled) or "greedy".
        game: Its number, from 0; its seed is the evaluation's plus this.
        score: Its raw score.
        frames: Its length in emulator frames.
        still: Whether it was ended because it stood still.
    """

    actions: str
    game: int
    score: float
    frames: int
    still: bool = False


def summarise(scores: Sequence[float], human_normalised: float | None) -> dict[str, Any]:
    """Return scores with their mean, standard deviation and human-normalised mean.

    Raises:
        InputError: A score is no number.
    """
    return {
        "scores": [as_score(score) for score in scores],
        "mean": statistics.fmean(scores),
        "std": statistics.stdev(scores) if len(scores) > 1 else 0.0,
        "human_normalised": human_normalised,
    }


def write_evaluation(path: Path, result: Mapping[str, Any]) -> bytes:
    """Write an evaluation and return the file's content.

    Raises:
        OSError: It cannot be written.
    """
    path.parent.mkdir(exist_ok=True)
    clear_left_behind(path.parent, (path.name,))
    write_sealed(path, result)
    return read_regular(path)


def by_hand_path(folder: Path, result: Mapping[str, Any]) -> Path:
    """Return where an evaluation by hand is kept: its name says what was played."""
    name = f"step-{result['step']}-seed-{result['seed']}-games-{result['episodes']}"
    name += ".json" if result.get("greedy") else "-sampled.json"
    return folder / EVALUATIONS_FOLDER / name


def read_evaluation(path: Path) -> dict[str, Any] | None:
    """Read an evaluation, with every number in it looked at; None where there is none.

    Raises:
        InputError: It is damaged, or was changed.
    """
    found = read_json(path, ("stochastic",))
    if found is None:
        return None
    for name in COUNTS:
        if found.get(name) is not None:
            check_integer(path, f"its {name}", found[name])
    for name in ACTIONS:
        if name == "stochastic" or found.get(name) is not None:
            check_scores(path, name, found[name])
    return found


def check_scores(path: Path, name: str, found: object) -> None:
    """Look at what `summarise` made, as it stands in a file.

    Raises:
        InputError: It is something else, or its mean is not that of its scores.
    """
    if not isinstance(found, dict) or "mean" not in found:
        raise damaged(path, f"{name} has no mean")
    mean = check_real(path, f"the mean of {name}", found["mean"])
    for key in ("std", "human_normalised"):
        if found.get(key) is not None:
            check_real(path, f"the {key} of {name}", found[key])
    for key in ("cut", "still"):
        if found.get(key) is not None:
            check_integer(path, f"{key} of {name}", found[key])
    scores = found.get("scores")
    if scores is None:
        return
    if not isinstance(scores, list) or not scores:
        raise damaged(path, f"{name} has no list of scores")
    values = [check_real(path, f"a score of {name}", score) for score in scores]
    if not math.isclose(statistics.fmean(values), mean, rel_tol=CLOSE, abs_tol=CLOSE):
        raise damaged(path, f"the mean of {name} is {mean:g}, but its scores say otherwise")


class GameLog:
    """The games of an evaluation as they end, so that an interrupted one goes on at the next.

    A line is a game; the first says which evaluation it is. What belongs to another one, or is
    damaged, is played again.

    Args:
        path: The file.
        header: What the games depend on: the checkpoint's step, the seed, the rules.

    Attributes:
        ends: The games that have ended.
    """

    def __init__(self, path: Path, header: Mapping[str, Any]) -> None:
        self._path = path
        first = json.dumps(dict(header), sort_keys=True)
        lines = _whole_lines(path)
        self.ends = _parse_ends(lines[1:]) if lines and lines[0] == first else []
        kept = [first, *(json.dumps(asdict(end)) for end in self.ends)]
        write_bytes_atomic(path, "".join(line + "\n" for line in kept).encode())
        self._file = os.fdopen(open_regular(path, os.O_WRONLY | os.O_APPEND), "ab", buffering=0)

    def __enter__(self) -> GameLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, end: GameEnd) -> None:
        """Note a game that has ended, on the disk first."""
        self._file.write((json.dumps(asdict(end)) + "\n").encode())
        os.fsync(self._file.fileno())
        self.ends.append(end)


def _whole_lines(path: Path) -> list[str]:
    try:
        return read_regular(path).decode().split("\n")[:-1]
    except (OSError, UnicodeDecodeError):
        return []


def _parse_ends(lines: Sequence[str]) -> list[GameEnd]:
    """Return the games up to the first line that makes no sense, each once."""
    ends: dict[tuple[str, int], GameEnd] = {}
    for line in lines:
        try:
            end = GameEnd(**json.loads(line))
        except (ValueError, TypeError, RecursionError):
            break
        numbers = type(end.game) is int and type(end.frames) is int
        if not numbers or type(end.score) is not float or not math.isfinite(end.score):
            break
        ends[end.actions, end.game] = end
    return list(ends.values())
