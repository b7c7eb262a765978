"""The command `inspect`: which agents it takes, and what one that cannot be inspected costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from folders import reopen

from coordconv_rl.agents.inspect import command, inspect_command
from coordconv_rl.agents.inspect import games as inspection_games
from coordconv_rl.agents.train import train_agent
from coordconv_rl.runs import INSPECTION_FILE


@pytest.fixture
def trained(tmp_path, small_run):
    """A folder with an agent of each of two arms."""
    for arm in ("coordconv", "shuffled"):
        config = small_run(game="minatar/breakout", backbone=None, arm=arm, steps=32)
        train_agent(config, tmp_path / config.run_id)
    (tmp_path / "experiment.yaml").write_text("")
    return tmp_path


def run_of(trained, arm):
    return trained / "ppo" / "minatar-breakout" / arm / "seed-1"


def agents(folder):
    return command._agents(folder)[0]


def test_an_inspection_ends_when_its_launcher_is_gone(trained, monkeypatch, caplog):
    monkeypatch.setattr(inspection_games, "FRAME_STEPS", 16)
    monkeypatch.setenv("COORDCONV_PARENT_PID", "1")
    assert inspect_command(run_of(trained, "shuffled"), 1) == 130
    assert "its launcher is gone" in caplog.text
    assert not (run_of(trained, "shuffled") / INSPECTION_FILE).exists()


def test_an_experiment_means_all_its_agents_with_coordinates(trained):
    (trained / "experiment.yaml").write_text("")
    done = run_of(trained, "coordconv") / INSPECTION_FILE
    done.unlink(missing_ok=True)
    found = {path.parent.name for path in agents(trained)}
    assert found == {"coordconv", "shuffled"}
    scores = {name: {"mean": 1.0} for name in ("trained", "zeroed", "permuted")}
    made = {
        "run": "ppo/minatar-breakout/coordconv/seed-1",
        "episodes": 1,
        "share": 0.1,
        "scores": scores,
    }
    done.write_text(json.dumps(made | {"step": 32}))
    assert agents(trained) == [run_of(trained, "shuffled")]
    done.write_text(json.dumps(made | {"step": 16}))  # it trained on since
    assert set(agents(trained)) == {done.parent, run_of(trained, "shuffled")}
    record = done.with_name("run.json")
    before = record.read_bytes()
    reopen(done.parent)
    assert agents(trained) == [run_of(trained, "shuffled")]
    record.write_bytes(before)
    assert agents(done.parent) == [done.parent]  # named: once more


@pytest.mark.parametrize("broken", ["an agent", "an inspection"])
def test_one_that_cannot_be_inspected_is_named_and_the_others_are(trained, caplog, broken):
    folder = run_of(trained, "coordconv")
    if broken == "an agent":
        (path,) = (folder / "checkpoints").glob("step-*.safetensors")
        path.write_bytes(path.read_bytes()[:100])
    else:
        (folder / INSPECTION_FILE).write_text("{")
    assert inspect_command(trained, 1) == 1
    assert str(folder) in caplog.text
    assert (run_of(trained, "shuffled") / INSPECTION_FILE).is_file()


WRITES_NOWHERE = """
import os, sys
os.access = lambda path, mode: not mode & os.W_OK  # root may write anywhere
from coordconv_rl.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("words", [["inspect"], ["evaluate", "--episodes", "1"]])
def test_a_folder_that_cannot_be_written_is_said_before_any_game(trained, words):
    name, *more = words
    folder = run_of(trained, "coordconv")
    done = subprocess.run(
        [sys.executable, "-c", WRITES_NOWHERE, name, str(folder), *more],
        capture_output=True, text=True, check=False, env=dict(os.environ),
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.strip().endswith(
        f"error: cannot write to {folder}: copy it to where you may, or change its mode"
    )
