"""`run.json`: what a run is doing or did, where, and with what."""

from __future__ import annotations

import logging
import os
import platform
import socket
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from coordconv_rl.errors import InputError
from coordconv_rl.files import write_json_atomic
from coordconv_rl.runs.clock import now
from coordconv_rl.runs.layout import RECORD_FILE
from coordconv_rl.runs.reading import read_json

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
COUNTED = ("seconds", "attempts")  # over all attempts

log = logging.getLogger(__name__)


class RunRecord:
    """The contents of `run.json`, written again, whole, whenever they change.

    Args:
        folder: The run's folder.
        fields: Further facts about this run.
    """

    def __init__(self, folder: Path, fields: dict[str, Any]) -> None:
        self.path = folder / RECORD_FILE
        before = self._before(folder)
        self._written = -REFRESH_SECONDS
        self.seconds_before = float(before.get("seconds", 0.0))
        self.fields: dict[str, Any] = {
            "format": 1,
            **fields,
            "status": "running",
            "reason": None,
            "attempts": int(before.get("attempts", 0)) + 1,
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
        }

    def _before(self, folder: Path) -> dict[str, Any]:
        """Return what the earlier attempts left; a damaged file is moved aside, not lost."""
        if not self.path.exists():
            return {}
        found = read_record(folder)
        if found is not None and all(isinstance(found.get(key, 0), int | float) for key in COUNTED):
            return found
        kept = self.path.with_name("run.json.damaged")
        os.replace(self.path, kept)
        log.warning(
            "%s was damaged: moved to %s; attempts and seconds count from here",
            self.path,
            kept.name,
        )
        return {}

    def write(self, **changes: Any) -> None:
        """Change some fields and write the file."""
        self.fields |= changes | {"updated": now()}
        write_json_atomic(self.path, self.fields)
        self._written = time.monotonic()

    def refresh(self) -> None:
        """Write the file again, at most once a second, to show that the run is alive."""
        if time.monotonic() - self._written >= REFRESH_SECONDS:
            self.write()

    def end(self, status: str, reason: str | None = None) -> None:
        """Write the run's end: done, interrupted or failed, and why."""
        self.write(status=status, reason=reason, ended=now())


def read_record(folder: Path) -> dict[str, Any] | None:
    """Return a run folder's `run.json`, or None if there is none that can be read."""
    try:
        return read_json(folder / RECORD_FILE, ("run", "status", "step", "steps"))
    except InputError:
        return None


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
