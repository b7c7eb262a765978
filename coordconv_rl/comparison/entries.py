"""What the lines of the ledger say: what became of a run, or who asked for which runs.

The last whole line about a run holds; a reader needs no lock. Lines with the key `asked` are
requests: an experiment may grow.
"""

from __future__ import annotations

import json
import math
from collections.abc import Container, Iterable
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, Literal, get_args

from coordconv_rl.configs import make_run_id
from coordconv_rl.errors import InputError
from coordconv_rl.files import read_regular
from coordconv_rl.runs import LEDGER_FILE

RunStatus = Literal["waiting", "running", "done", "failed", "lost"]
STATUSES: tuple[str, ...] = get_args(RunStatus)
UNSAID = "unsaid"


@dataclass(frozen=True)
class Entry:
    """One run's state.

    Attributes:
        run: The run's id.
        status: waiting; running; done; failed (for good, until the experiment is started again);
            or lost (it ran when its launcher, its process or its machine went away).
        attempts: How often its process was started.
        reason: Why it failed, was lost, or waits again.
        host: The machine that it ran on last.
        pid: Its last process there.
        started: When it was started last, as ISO 8601 in UTC.
        ended: When that ended.
    """

    run: str
    status: RunStatus = "waiting"
    attempts: int = 0
    reason: str | None = None
    host: str | None = None
    pid: int | None = None
    started: str | None = None
    ended: str | None = None


@dataclass(frozen=True)
class RunRequest:
    """Who asked for which runs, and when: every run of every combination of what it names.

    Attributes:
        asked: When, as ISO 8601 in UTC; None for what an earlier version's folder held.
        by: Who, as user@machine; None likewise.
        steps: Environment steps of each run.
        algos: The algorithms.
        games: The games.
        arms: The arms.
        seeds: The seeds.
        comparisons: The pairs of arms that are to be compared, where they were named.
        equivalence: By less than what they are called equal; `UNSAID` where an earlier version
            wrote the line.
    """

    asked: str | None
    by: str | None
    steps: int
    algos: tuple[str, ...]
    games: tuple[str, ...]
    arms: tuple[str, ...]
    seeds: tuple[int, ...]
    comparisons: tuple[tuple[str, str], ...] = ()
    equivalence: float | str | None = UNSAID

    def runs(self) -> Iterable[str]:
        """Return the ids of the runs asked for."""
        cells = product(self.algos, self.games, self.arms, self.seeds)
        return (make_run_id(*cell) for cell in cells)

    def is_same(self, other: RunRequest) -> bool:
        """Return whether both ask for the same, whoever did and when."""
        return replace(self, asked=other.asked, by=other.by) == other


def read_ledger(folder: Path) -> dict[str, Entry]:
    """Read the ledger of an experiment's folder, also while its launcher writes it.

    Returns:
        The last entry of every run that has one; nothing for a folder without a ledger.

    Raises:
        InputError: A line is damaged. A last line without its end is one that is being written.
    """
    return read_lines(folder)[0]


def read_requests(folder: Path) -> tuple[RunRequest, ...]:
    """Read who asked for which runs, the first one first; none where only old versions wrote.

    Raises:
        InputError: As `read_ledger`.
    """
    return read_lines(folder)[1]


def read_lines(folder: Path) -> tuple[dict[str, Entry], tuple[RunRequest, ...]]:
    """Read the entries and the requests of an experiment's folder; see `read_ledger`."""
    path = folder / LEDGER_FILE
    try:
        lines = read_regular(path).split(b"\n")[:-1]
    except FileNotFoundError:
        return {}, ()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    entries, requests = {}, []
    for number, line in enumerate(lines, start=1):
        try:
            found = _parse(line)
        except (ValueError, TypeError, RecursionError) as error:
            raise InputError(
                f"{path} is damaged at line {number} ({error}): delete that line, or restore "
                "the file"
            ) from error
        if isinstance(found, RunRequest):
            requests.append(found)
        else:
            entries[found.run] = found
    return entries, tuple(requests)


def _parse(line: bytes) -> Entry | RunRequest:
    """Turn a line into an entry or a request.

    Raises:
        ValueError: The line is neither.
        TypeError: A key is missing or unknown.
    """
    values: dict[str, Any] = json.loads(line)
    if not isinstance(values, dict):
        raise ValueError("no JSON object")
    if "asked" in values:
        return _parse_request(values)
    entry = Entry(**values)
    texts = (entry.reason, entry.host, entry.started, entry.ended)
    if (
        entry.status not in STATUSES
        or not isinstance(entry.run, str)
        or not _is_whole(entry.attempts, 0)
        or not all(text is None or isinstance(text, str) for text in texts)
        or not (entry.pid is None or _is_whole(entry.pid, 1))
    ):
        raise ValueError(f"status {entry.status!r}, attempts {entry.attempts!r:.40}")
    return entry


def _is_whole(value: object, low: int) -> bool:
    """Return whether a value is a whole number that other programs take: no huge one, no True."""
    return type(value) is int and low <= value < 2**63


def _parse_request(values: dict[str, Any]) -> RunRequest:
    """Turn a line with the key `asked` into a request; see `_parse`."""
    for name, kind in {"algos": str, "games": str, "arms": str, "seeds": int}.items():
        items = values.get(name)
        if not isinstance(items, list) or not all(type(item) is kind for item in items):
            raise ValueError(f"{name} is {items!r}")
        values[name] = tuple(items)
    values["comparisons"] = _parse_pairs(values.get("comparisons", []))
    request = RunRequest(**values)
    for text in (request.asked, request.by):
        if not (text is None or isinstance(text, str)):
            raise ValueError(f"asked by {request.by!r} at {request.asked!r}")
    margin = request.equivalence
    is_margin = isinstance(margin, int | float) and 0 < margin < math.inf and margin is not True
    if margin not in (None, UNSAID) and not is_margin:
        raise ValueError(f"equivalence is {margin!r:.40}")
    if not _is_whole(request.steps, 1) or not all(_is_whole(seed, 0) for seed in request.seeds):
        raise ValueError(f"steps is {request.steps!r:.40}, seeds are {request.seeds!r:.80}")
    return request


def _parse_pairs(values: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(values, list) or not all(map(_is_pair, values)):
        raise ValueError(f"comparisons are {values!r}")
    return tuple((arm, baseline) for arm, baseline in values)


def _is_pair(value: Any) -> bool:
    if not isinstance(value, list):
        return False
    return [type(arm) for arm in value] == [str, str]


def line(content: Entry | RunRequest) -> str:
    """Return the ledger's line for an entry or a request."""
    return json.dumps(asdict(content)) + "\n"


def check_planned(folder: Path, entries: Iterable[str], planned: Container[str]) -> None:
    """Raise `InputError` if the ledger is of another experiment, whose lines would be lost."""
    for run in entries:
        if run not in planned:
            raise InputError(
                f"{folder / LEDGER_FILE} is about runs that nobody has asked for, such as "
                f"{run}: two experiments are mixed; move one of them out"
            )
