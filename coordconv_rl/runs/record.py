"""`run.json`: what a run is doing or did, where, and with what."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from coordconv_rl.errors import InputError
from coordconv_rl.runs.clock import now
from coordconv_rl.runs.layout import RECORD_FILE
from coordconv_rl.runs.reading import (
    JSON_FORMAT,
    check_integer,
    check_real,
    damaged,
    read_json,
    write_sealed,
)
from coordconv_rl.runs.sums import SUMS, FileSum, read_sums, sums_as_json

PACKAGES = (
    "coordconv_rl",
    "torch",
    "stable_baselines3",
    "gymnasium",
    "ale-py",
    "numpy",
    "opencv-python-headless",
)
REFRESH_SECONDS = 1.0
REQUIRED = ("run", "status", "step", "steps")
WHOLE_NUMBERS = ("step", "steps", "attempts", "episodes", "parameters", "pid")
NUMBERS = ("seconds", "steps_per_second")  # 0 or more


class RunRecord:
    """The contents of `run.json`, written again, whole, whenever they change.

    Nothing is written before `write` is called.

    Args:
        folder: The run's folder.
        fields: Further facts about this run.
        before: What earlier attempts left, as `read_record` gives it: seconds and attempts go on
            from there, and what says that the other files are whole stays.
    """

    def __init__(
        self, folder: Path, fields: Mapping[str, Any], before: Mapping[str, Any] | None = None
    ) -> None:
        """Gather what a result may depend on: versions, commit, command, machine."""
        self.path = folder / RECORD_FILE
        before = before or {}
        self._written = -REFRESH_SECONDS
        self.seconds_before = float(before.get("seconds") or 0.0)
        self.fields: dict[str, Any] = {
            "format": JSON_FORMAT,
            **fields,
            "status": "running",
            "reason": None,
            "attempts": int(before.get("attempts") or 0) + 1,
            "started": before.get("started") or now(),
            "updated": now(),
            "ended": None,
            "seconds": self.seconds_before,
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "versions": versions(),
            "python": platform.python_version(),
            "commit": git_commit(),
            "command": " ".join(["coordconv-rl", *sys.argv[1:]]),
            "machine": machine(),
            SUMS: dict(before.get(SUMS, {})),
        }

    def write(self, sums: Mapping[str, FileSum] | None = None, **changes: Any) -> None:
        """Change some fields, and the sums of some files, and write the file."""
        self.fields |= changes | {"updated": now()}
        self.fields[SUMS] = self.fields[SUMS] | sums_as_json(sums or {})
        write_sealed(self.path, self.fields)
        self._written = time.monotonic()

    def refresh(self) -> None:
        """Write the file again, at most once a second, to show that the run is alive."""
        if time.monotonic() - self._written >= REFRESH_SECONDS:
            self.write()

    def end(self, status: str, reason: str | None = None) -> None:
        """Write the run's end: done, interrupted or failed, and why."""
        self.write(status=status, reason=reason, ended=now())


def read_record(folder: Path) -> dict[str, Any] | None:
    """Read a run folder's `run.json`, with every number in it looked at; None where there is none.

    Raises:
        InputError: It is damaged.
    """
    path = folder / RECORD_FILE
    record = read_json(path, REQUIRED)
    if record is None:
        return None
    for name in ("run", "status"):
        if not isinstance(record[name], str):
            raise damaged(path, f"its {name} is {record[name]!r:.40}")
    for name in WHOLE_NUMBERS:
        if name in REQUIRED or record.get(name) is not None:
            check_integer(path, f"its {name}", record[name])
    for name in NUMBERS:
        if record.get(name) is not None:
            check_real(path, f"its {name}", record[name], 0.0)
    if record.get("recent_score") is not None:
        check_real(path, "its recent_score", record["recent_score"])
    read_sums(path, record)
    return record


def forget_sums(folder: Path, names: Collection[str]) -> None:
    """Have `run.json` say no longer what some files were like, since they will change.

    Raises:
        InputError: It is damaged.
    """
    record = read_record(folder)
    if record is not None and SUMS in record:
        kept = {name: found for name, found in record[SUMS].items() if name not in names}
        write_sealed(folder / RECORD_FILE, record | {SUMS: kept})


def peek_record(folder: Path) -> dict[str, Any] | None:
    """Return a run's `run.json` for whoever watches it; None where it is missing or damaged."""
    try:
        return read_record(folder)
    except InputError:
        return None


def weighs_coordinates(record: dict[str, Any] | None) -> bool:
    """Return whether a run's network has weights for coordinates, as it said when it was built."""
    counts = (record or {}).get("parameter_counts")
    return isinstance(counts, dict) and bool(counts.get("coordinates"))


def versions() -> dict[str, str]:
    """Return the versions of the packages that a result depends on."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def git_commit() -> str | None:
    """Return the commit of the checkout that this package runs from, "+" if it was changed."""
    here = Path(__file__).parent
    try:
        top, commit = (
            subprocess.run(
                ["git", "-C", str(here), "rev-parse", "--show-toplevel", "HEAD"],
                capture_output=True,
                text=True,
                check=True,
                timeout=10,
            )
            .stdout.strip()
            .splitlines()
        )
        if Path(top) != here.parents[1]:
            return None
        changed = subprocess.run(
            ["git", "-C", top, "status", "--porcelain", "--untracked-files=no"],
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        ).stdout.strip()
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return commit + ("+" if changed else "")


def machine() -> dict[str, Any]:
    """Return what a speed depends on: processor, cores, memory in GiB, and system."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].split(":", 1)[1].strip() if names else cpu
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gib": round(memory, 1),
        "system": f"{platform.system()} {platform.release()}",
    }
