"""A folder in which the launcher starts light workers."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from light_worker import WORKER

from coordconv_rl.comparison.launch import compare as launch
from coordconv_rl.comparison.launch.local import LocalBackend


@pytest.fixture
def folder_of_light_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "worker.py").write_text(WORKER)
    program = (sys.executable, str(tmp_path / "worker.py"))
    monkeypatch.setattr(launch, "LocalBackend", lambda: LocalBackend(program))
    monkeypatch.setattr(launch, "TICK_SECONDS", 0.02)
    made = tmp_path / "runs"
    made.mkdir()
    (made / "plan.json").write_text("{}")
    return made
