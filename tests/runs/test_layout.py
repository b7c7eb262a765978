from __future__ import annotations

import os

from coordconv_rl.runs import PARENT_VARIABLE, find_experiment, find_runs, is_launched

RUN = "ppo/Pong/cnn/seed-3"


def test_runs_are_found_by_a_file_that_they_hold(tmp_path):
    for run in ("ppo/Pong/cnn/seed-10", RUN):
        (tmp_path / run).mkdir(parents=True)
        (tmp_path / run / "run.json").touch()
    (tmp_path / "a2c/Pong/cnn/seed-1").mkdir(parents=True)
    (tmp_path / "run.json").touch()
    found = [run.relative_to(tmp_path).as_posix() for run in find_runs(tmp_path, "run.json")]
    assert found == ["ppo/Pong/cnn/seed-10", RUN]


def test_the_experiment_is_the_folder_above_a_runs_id(tmp_path):
    (tmp_path / "mine" / RUN).mkdir(parents=True)
    assert find_experiment(tmp_path / "mine" / RUN, RUN) == "mine"
    assert find_experiment(tmp_path, RUN) is None


def test_a_launcher_is_the_parent_that_says_so(monkeypatch):
    monkeypatch.setenv(PARENT_VARIABLE, str(os.getppid()))
    assert is_launched()
    monkeypatch.setenv(PARENT_VARIABLE, str(os.getppid() + 1))
    assert not is_launched()
    monkeypatch.delenv(PARENT_VARIABLE)
    assert not is_launched()
