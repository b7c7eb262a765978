"""Contestants that take turns, round by round, and what the rounds add up to."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.memory import Peak
from benchmarks.processes import measure_runs
from benchmarks.remote import Failed, Remote, keep

log = logging.getLogger(__name__)
MIB = 2**20

# Estimates in seconds for 2 cores, only to say beforehand how long a contest may take: to import
# and warm up, once for each contestant; and what one measurement takes beside its own seconds
# (training goes on to a whole iteration; commands and memory start a process each time).
WARM_UP_SECONDS = {"env": 5.0, "train": 15.0, "layers": 15.0}
REST_SECONDS = {"env": 0.5, "train": 3.0, "layers": 5.0, "memory": 25.0, "processes": 35.0}
Spec = dict[str, Any]
Values = dict[str, list[float]]


@dataclass(frozen=True)
class Contest:
    """What is compared under one heading.

    Attributes:
        part: The part's letter.
        title: The heading.
        unit: Unit of the values.
        baselines: Contestants that stand for "the others"; ratios refer to the best of them.
        contestants: Specifications by name, in the table's order. A contest of layers has one,
            and a value for each network.
        higher_is_better: Whether large values are good.
    """

    part: str
    title: str
    unit: str
    baselines: tuple[str, ...]
    contestants: dict[str, Spec]
    higher_is_better: bool = True


def run_contest(
    contest: Contest, rounds: int, seconds: float, tell: Callable[[str], None]
) -> dict[str, Any]:
    """Measure all contestants in turn, in every other round backwards.

    Args:
        contest: What to compare.
        rounds: Measurements of each.
        seconds: The least length of one measurement.
        tell: Is told what happens now.

    Returns:
        The result as JSON-able data; contestants that failed are named with the reason.
    """
    values: Values = {}
    failures: dict[str, str] = {}
    with ExitStack() as stack:
        remotes = _start(contest, stack, failures, tell)
        for turn in range(rounds):
            names = [name for name in contest.contestants if name not in failures]
            for name in names if turn % 2 == 0 else reversed(names):
                tell(f"{contest.title}: round {turn + 1} of {rounds}, {name}")
                try:
                    value = _measure(contest.contestants[name], remotes.get(name), seconds)
                except Failed as error:
                    failures[name] = str(error)
                    values.pop(name, None)
                    log.warning("%s: %s", name, error)
                    continue
                several = value if isinstance(value, dict) else {name: value}
                for key, number in several.items():
                    values.setdefault(key, []).append(number)
    return summary(contest, values, failures)


def expected_seconds(contest: Contest, rounds: int, seconds: float) -> float:
    """Return about how long a contest takes on 2 idle cores."""
    kinds = [spec["kind"] for spec in contest.contestants.values()]
    each = sum(seconds + REST_SECONDS[kind] for kind in kinds)
    return sum(WARM_UP_SECONDS.get(kind, 0.0) for kind in kinds) + rounds * each


def _start(
    contest: Contest, stack: ExitStack, failures: dict[str, str], tell: Callable[[str], None]
) -> dict[str, Remote]:
    """Start the contestants that stay warm between rounds, one after the other."""
    remotes: dict[str, Remote] = {}
    for name, spec in contest.contestants.items():
        if spec["kind"] in {"processes", "memory"}:
            continue
        tell(f"{contest.title}: {name} warms up")
        remotes[name] = keep(stack, spec)
        try:
            remotes[name].wait()
        except Failed as error:
            failures[name] = str(error)
            log.warning("%s: %s", name, error)
    return remotes


def _measure(spec: Spec, remote: Remote | None, seconds: float) -> Any:
    if spec["kind"] == "processes":
        return measure_runs(spec, seconds)
    if remote is not None:
        return remote.measure(seconds)
    with ExitStack() as stack:
        remote = keep(stack, spec | {"kind": "train"})
        with Peak(remote.process.pid) as peak:
            remote.measure(seconds)
        return peak.bytes / MIB


def spread(values: list[float]) -> dict[str, float]:
    """Return the median with minimum and maximum."""
    return {"median": median(values), "min": min(values), "max": max(values)}


def summary(contest: Contest, values: Values, failures: dict[str, str]) -> dict[str, Any]:
    """Return medians, and ratios to the best baseline, pair by pair of the same round."""
    best = best_baseline(contest, values)
    rows = []
    for name, numbers in values.items():
        row: dict[str, Any] = {"name": name, "values": numbers, **spread(numbers)}
        if best is not None:
            ratios = [a / b for a, b in zip(numbers, values[best], strict=True)]
            row |= {"ratios": ratios, "ratio": spread(ratios)}
        rows.append(row)
    return {
        "part": contest.part,
        "title": contest.title,
        "unit": contest.unit,
        "higher_is_better": contest.higher_is_better,
        "baseline": best,
        "rows": rows,
        "failures": failures,
    }


def best_baseline(contest: Contest, values: Values) -> str | None:
    """Return the baseline with the best median, None if none was measured."""
    measured = [name for name in contest.baselines if name in values]
    if not measured:
        return None
    choose = max if contest.higher_is_better else min
    return choose(measured, key=lambda name: median(values[name]))
