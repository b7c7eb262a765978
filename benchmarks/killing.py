"""Kills at random moments, and what they must not change."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from benchmarks.kill_subjects import Subject, tensors_and_files
from benchmarks.victims import Fork, Victim
from coordconv_rl.comparison import plan
from coordconv_rl.comparison.entries import Entry, read_ledger
from coordconv_rl.configs import make_run_id
from coordconv_rl.configs.load import to_yaml
from coordconv_rl.configs.schema import ExperimentConfig

LATEST = 0.6  # share of a whole command's time before which it is killed
LAUNCHER_SECONDS = 4.0  # a launcher is killed so long after its workers' first checkpoint, at most


@dataclass(frozen=True)
class Outcome:
    """What became of a command that was killed.

    Attributes:
        name: Which.
        kills: SIGKILLs sent to a process that lived.
        survived: Those after which it went on.
        halves: Those that left a half-written file or folder.
        equal: Whether everything ended as without kills.
        difference: What differs, if something does.
    """

    name: str
    kills: int
    survived: int
    halves: int
    equal: bool
    difference: str = ""


def temporaries(folder: Path) -> list[str]:
    """Return what a kill left half-written below a folder."""
    found = [*folder.rglob(".*.tmp"), *folder.rglob(".*.part"), *folder.rglob(".*.partial*")]
    return [path.relative_to(folder).as_posix() for path in found]


def difference(ours: dict[str, bytes], theirs: dict[str, bytes]) -> str:
    """Name all that tells two results apart; nothing if they are equal."""
    names = sorted(ours.keys() | theirs.keys())
    return ", ".join(name for name in names if ours.get(name) != theirs.get(name))


def torture(subject: Subject, folder: Path, kills: int, moments: random.Random) -> Outcome:
    """Run a command whole and, as often as the kills need, killed; compare what it leaves."""
    folder.mkdir(parents=True)
    whole, log = folder / "whole", folder / "log.txt"
    subject.lay(whole)
    began = time.monotonic()
    if code := Fork(subject.words(whole), log).finish():
        return Outcome(subject.name, 0, 0, 0, False, f"exit code {code} without kills: see {log}")
    latest = LATEST * (time.monotonic() - began)
    wanted = subject.result(whole)
    used = half = 0
    found = ""
    while used < kills and not found:
        killed = folder / "killed"
        subject.lay(killed)
        while used < kills:
            victim = Fork(subject.words(killed), log)
            ended = victim.wait(moments.random() * latest)
            if ended is not None:
                found = f"exit code {ended}" if ended else ""
                break
            victim.kill()
            used += 1
            half += bool(temporaries(killed))
            if subject.is_done(killed):
                break
        code = 0 if subject.is_done(killed) else Fork(subject.words(killed), log).finish()
        if not code and not found:
            found = difference(subject.result(killed), wanted) or ", ".join(temporaries(killed))
        found = found or (f"exit code {code}" if code else "")
        if not found:
            shutil.rmtree(killed)
    return Outcome(subject.name, used, used - bool(found), half, not found, found)


def torture_comparison(
    config: ExperimentConfig, folder: Path, kills: int, moments: random.Random
) -> list[Outcome]:
    """Compare with a launcher that is killed, then with workers that are; see what differs."""
    folder.mkdir(parents=True)
    file, log = folder / "survival.yaml", folder / "log.txt"
    file.write_text(to_yaml(config))
    words = ["compare", file, "--jobs", 2, "--no-inspect", "--retries", kills, "--folder"]
    runs = [make_run_id(*key) for key in plan.run_keys(config)]
    if Victim([*words, folder / "whole"], log).finish():
        return [Outcome("compare", 0, 0, 0, False, f"without kills it failed: see {log}")]
    outcomes = []
    for name, share in (("launcher", kills - kills // 2), ("workers", kills // 2)):
        killed = folder / name
        used = half = 0
        while used < share:
            victim = Victim([*words, killed], log)
            if name == "workers":
                hit, left = _kill_workers(victim, killed, share - used, moments)
                used, half = used + hit, half + left
                if victim.wait(0) is not None:
                    break
                continue
            while not saved_since(killed, victim.began) and victim.wait(0.02) is None:
                pass
            if victim.wait(moments.random() * LAUNCHER_SECONDS) is not None:
                break
            victim.kill()
            used += 1
            half += bool(temporaries(killed))
        found = _ended(Victim([*words, killed], log).finish(), killed, folder / "whole", runs)
        outcomes.append(
            Outcome(f"compare, {name}", used, used - bool(found), half, not found, found)
        )
    return outcomes


def _ended(code: int, killed: Path, whole: Path, runs: list[str]) -> str:
    """Return what differs in a comparison that has ended, if something does."""
    if code:
        return f"exit code {code}"
    pairs = ((tensors_and_files(killed / run), tensors_and_files(whole / run)) for run in runs)
    return next(filter(None, (difference(*pair) for pair in pairs)), "")


def saved_since(folder: Path, began: float) -> bool:
    """Return whether a checkpoint below a folder was written after a moment."""
    for path in folder.rglob("step-*.safetensors"):
        with contextlib.suppress(FileNotFoundError):  # old checkpoints are removed meanwhile
            if path.stat().st_mtime > began:
                return True
    return False


def _kill_workers(
    victim: Victim, folder: Path, kills: int, moments: random.Random
) -> tuple[int, int]:
    """Kill workers that train, one by one under a living launcher, until it ends.

    Returns:
        How many, and how many of these left something half-written in their run's folder.
    """
    used = half = 0
    while victim.wait(0.2 + moments.random() * LAUNCHER_SECONDS) is None:
        found = [(run, e) for run, e in read_ledger(folder).items() if _trains(folder / run, e)]
        if found and used < kills:
            run, entry = moments.choice(found)
            with contextlib.suppress(ProcessLookupError):
                os.kill(entry.pid or 0, signal.SIGKILL)
                used += 1
                half += bool(temporaries(folder / run))
    victim.finish()
    return used, half


def _trains(run: Path, entry: Entry) -> bool:
    """Return whether a run's process has saved something: before, a kill could spoil nothing."""
    if entry.status != "running" or not entry.pid or not entry.started:
        return False
    return saved_since(run, datetime.fromisoformat(entry.started).timestamp())
