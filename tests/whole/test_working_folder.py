"""A run of a comparison works in a folder whose modules bear others' names.

A study's trainings do so in `tests/cli/test_studies.py`.
"""

from __future__ import annotations

import json
import sys

from hostile import make_hostile
from waiting import wait_for

from coordconv_rl.comparison.launch.local import LocalBackend
from coordconv_rl.configs import to_yaml
from coordconv_rl.runs import CONFIG_FILE, LOG_FILE, RECORD_FILE


def test_a_run_of_a_comparison(small_run, tmp_path, monkeypatch):
    monkeypatch.chdir(make_hostile(tmp_path / "work"))
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    folder = tmp_path / "ppo" / "Breakout" / "coordconv" / "seed-1"
    folder.mkdir(parents=True)
    config = small_run(steps=32)
    (folder / CONFIG_FILE).write_text(to_yaml(config))
    process = LocalBackend().start(folder, config)
    wait_for(lambda: process.poll() is not None)
    assert process.poll() == 0, (folder / LOG_FILE).read_text()
    assert json.loads((folder / RECORD_FILE).read_text())["status"] == "done"
