"""Commands one after another in one process: an exit code each, what they say in each one's log."""

from __future__ import annotations

import json
import os
import subprocess

from hostile import make_hostile

from coordconv_rl import processes


def test_each_folder_gets_its_own_answer_and_log_wherever_one_works(tmp_path, monkeypatch):
    monkeypatch.chdir(make_hostile(tmp_path / "work"))
    folders = [tmp_path / name for name in ("a", "line\nfeed")]
    for folder in folders:
        folder.mkdir()
    lines = "".join(json.dumps(str(folder)) + "\n" for folder in folders)
    found = subprocess.run(
        processes.serving_command("report"), input=lines, capture_output=True, text=True, check=True
    )
    assert found.stdout == "2\n2\n"  # neither holds an experiment
    assert found.stderr == ""
    for folder in folders:
        said = (folder / "log.txt").read_text()
        assert said.startswith("error: ")
        assert said.count("error: ") == 1
        assert os.listdir(folder) == ["log.txt"]


def test_a_log_that_leads_elsewhere_is_not_written(tmp_path):
    outside, folder = tmp_path / "outside", tmp_path / "run"
    outside.write_text("mine")
    folder.mkdir()
    (folder / "log.txt").symlink_to(outside)
    line = json.dumps(str(folder)) + "\n"
    found = subprocess.run(
        processes.serving_command("report"), input=line, capture_output=True, text=True, check=False
    )
    assert found.returncode != 0
    assert outside.read_text() == "mine"
