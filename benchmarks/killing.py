"""Kills at random moments, and what they must not change."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from coordconv_rl.agents.training.checkpoint import list_checkpoints, load_checkpoint
from coordconv_rl.comparison import plan
from coordconv_rl.comparison.entries import read_ledger
from coordconv_rl.configs import make_run_id
from coordconv_rl.configs.load import to_yaml
from coordconv_rl.configs.schema import ExperimentConfig, RunConfig

COMMAND = (sys.executable, "-m", "coordconv_rl")
LIMIT_SECONDS = 600.0
LATEST_SECONDS = 4.0  # a kill comes so long after the process's first checkpoint, at most
EARLY = 0.25  # share of the kills that come sooner, while Python, torch or the run start


@dataclass(frozen=True)
class Outcome:
    """What became of a run, or of a comparison's runs.

    Attributes:
        name: Which.
        kills: SIGKILLs sent to a process that lived.
        survived: Those after which it went on.
        halves: Those that left half a checkpoint.
        early: Those before there was a checkpoint.
        equal: Whether everything ended as without kills.
        difference: What differs, if something does.
    """

    name: str
    kills: int
    survived: int
    halves: int
    early: int
    equal: bool
    difference: str = ""


class Victim:
    """A process that is started again and again, in a session of its own, and killed.

    Args:
        words: Its command line after `coordconv-rl`.
        log: Where it writes.
    """

    def __init__(self, words: Sequence[object], log: Path) -> None:
        self._file = log.open("ab")
        self.process = subprocess.Popen(
            [*COMMAND, *map(str, words)],
            stdin=subprocess.DEVNULL,
            stdout=self._file,
            stderr=self._file,
            start_new_session=True,
        )
        self.began = time.time()

    def wait(self, seconds: float) -> int | None:
        """Return the exit code, or None after so many seconds."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def kill(self) -> None:
        """Kill it, and nothing else."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._file.close()

    def finish(self) -> int:
        """Wait for its end and return the exit code; kill its session if that never comes."""
        code = self.wait(LIMIT_SECONDS)
        if code is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            code = self.process.wait()
        self._file.close()
        return code


def moment(victim: Victim, begun: Callable[[], bool], moments: random.Random) -> bool:
    """Wait for a random moment; return False if the process ended before."""
    early = moments.random() < EARLY
    deadline = victim.began + (moments.random() * 4.0 if early else LIMIT_SECONDS)
    while not begun() and time.time() < deadline:
        if victim.wait(0.02) is not None:
            return False
    return early or victim.wait(moments.random() * LATEST_SECONDS) is None


def saved_since(folder: Path, began: float) -> bool:
    """Return whether a checkpoint in a folder, or below it, was written after a moment."""
    for path in folder.rglob("step-*.safetensors"):
        with contextlib.suppress(FileNotFoundError):  # old checkpoints are removed meanwhile
            if path.stat().st_mtime > began:
                return True
    return False


def halves(folder: Path) -> int:
    """Return how many checkpoints were cut short by kills, and remove what is left of them."""
    found = list(folder.rglob(".step-*.tmp"))
    for path in found:
        path.unlink()
    return len(found)


def difference(killed: Path, whole: Path) -> str:
    """Name all that tells two finished runs' folders apart; nothing if they are equal.

    Their tensors (weights, optimiser, generators, emulators), episodes.csv and evaluation.json
    are compared byte for byte.
    """
    ours, theirs = list_checkpoints(killed), list_checkpoints(whole)
    if not ours or not theirs or ours[0].name != theirs[0].name:
        return "the last checkpoint"
    left, right = load_checkpoint(ours[0]).tensors, load_checkpoint(theirs[0]).tensors
    found = [
        name
        for name in sorted(left.keys() | right.keys())
        if name not in left
        or name not in right
        or left[name].numpy().tobytes() != right[name].numpy().tobytes()
    ]
    files = ("episodes.csv", "evaluation.json")
    found += [name for name in files if (killed / name).read_bytes() != (whole / name).read_bytes()]
    return ", ".join(found)


def torture_run(
    name: str, config: RunConfig, folder: Path, kills: int, moments: random.Random
) -> Outcome:
    """Train one run whole and, as often as the kills need, killed; compare them."""
    whole, log = folder / "whole", folder / "log.txt"
    _claim(whole, config)
    if Victim(["train", "--resume", whole], log).finish():
        return Outcome(name, 0, 0, 0, 0, False, f"the run without kills failed: see {log}")
    used = half = early = trial = 0
    found = ""
    while used < kills and not found:
        trial += 1
        killed = folder / f"killed-{trial}"
        _claim(killed, config)
        while used < kills:
            victim = Victim(["train", "--resume", killed], log)
            begun = partial(saved_since, killed, victim.began)
            if not moment(victim, begun, moments):
                found = f"exit code {victim.process.returncode}" * bool(victim.process.returncode)
                break
            victim.kill()
            used += 1
            half += halves(killed)
            early += not list_checkpoints(killed)
        code = Victim(["train", "--resume", killed], log).finish()
        found = found or (difference(killed, whole) if code == 0 else f"exit code {code}")
    return Outcome(name, used, used if not found else used - 1, half, early, not found, found)


def _claim(folder: Path, config: RunConfig) -> None:
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(to_yaml(config))


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
        return [Outcome("compare", 0, 0, 0, 0, False, f"without kills it failed: see {log}")]
    outcomes = []
    for name, share in (("launcher", kills - kills // 2), ("worker", kills // 2)):
        killed = folder / name
        used = half = 0
        while used < share:
            victim = Victim([*words, killed], log)
            begun = partial(saved_since, killed, victim.began)
            if not moment(victim, begun, moments):
                break
            used += (
                _kill_launcher(victim)
                if name == "launcher"
                else _kill_workers(victim, killed, share, moments)
            )
            half += halves(killed)
        code = Victim([*words, killed], log).finish()
        found = (
            [difference(killed / run, folder / "whole" / run) for run in runs] if not code else []
        )
        text = f"exit code {code}" if code else next(filter(None, found), "")
        survived = used if not text else used - 1
        outcomes.append(Outcome(f"compare, {name}", used, survived, half, 0, not text, text))
    return outcomes


def _kill_launcher(victim: Victim) -> int:
    victim.kill()
    return 1


def _kill_workers(victim: Victim, folder: Path, kills: int, moments: random.Random) -> int:
    """Kill workers one by one under a living launcher; return how many."""
    used = 0
    while used < kills and victim.wait(2.0 + moments.random() * LATEST_SECONDS) is None:
        running = [e for e in read_ledger(folder).values() if e.status == "running" and e.pid]
        if running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(moments.choice(running).pid or 0, signal.SIGKILL)
                used += 1
    victim.finish()
    return used
