"""The command `inspect`: which agents it takes, and what one that cannot be inspected costs."""

from __future__ import annotations

import json
import os
import shutil
import sys

import forked
import pytest
from folders import reopen
from waiting import LIMIT

from coordconv_rl.agents.inspect import command, inspect_command
from coordconv_rl.agents.inspect import games as inspection_games
from coordconv_rl.agents.train import train_agent
from coordconv_rl.cli.main import main
from coordconv_rl.configs import new_run
from coordconv_rl.errors import InputError
from coordconv_rl.runs import INSPECTION_FILE


@pytest.fixture(scope="module")
def agents_of_two_arms(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    for arm in ("coordconv", "shuffled"):
        values = {"game": "minatar/breakout", "arm": arm, "seed": 1, "steps": 32}
        small = {"n_envs": 2, "n_steps": 16, "batch_size": 16, "n_epochs": 1}
        nobody = {"episodes": 0}
        config = new_run(values | {"hyperparameters": small, "evaluation": nobody}, "test")
        train_agent(config, folder / config.run_id)
    (folder / "experiment.yaml").write_text("")
    return folder


@pytest.fixture
def trained(agents_of_two_arms, tmp_path):
    """A folder with an agent of each of two arms."""
    return shutil.copytree(agents_of_two_arms, tmp_path / "trained")


def run_of(trained, arm):
    return trained / "ppo" / "minatar-breakout" / arm / "seed-1"


def agents(folder):
    return command._agents(folder)[0]


def test_an_inspection_ends_when_its_launcher_is_gone(trained, monkeypatch, caplog):
    monkeypatch.setattr(inspection_games, "FRAME_STEPS", 16)
    monkeypatch.setenv("COORDCONV_PARENT_PID", str(os.getpid()))  # nobody is their own parent
    assert inspect_command(run_of(trained, "shuffled"), 1) == 130
    assert "its launcher is gone" in caplog.text
    assert not (run_of(trained, "shuffled") / INSPECTION_FILE).exists()


def test_another_number_of_games_is_said_before_it_replaces_what_a_report_compares(trained, caplog):
    run = run_of(trained, "coordconv")
    assert inspect_command(run, 1) == 0
    assert inspect_command(run, 1) == 0
    assert "inspected over" not in caplog.text
    assert inspect_command(run, 2) == 0
    assert "was inspected over 1 games a treatment: that is replaced by 2" in caplog.text
    caplog.clear()
    (trained / "experiment.yaml").unlink()  # no comparison, so nothing to say
    assert inspect_command(run, 1) == 0
    assert "inspected over" not in caplog.text


def test_what_is_no_folder_is_called_so(tmp_path):
    (tmp_path / "agent.zip").touch()
    for name, what in (("agent.zip", "is no folder"), ("nothing", "is not there")):
        with pytest.raises(InputError, match=f"{name} {what}: name the folder of a run"):
            inspect_command(tmp_path / name)


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


def call_without_writing(*words):
    """Call the command where nothing may be written; for a process of its own."""
    os.access = lambda path, mode: not mode & os.W_OK  # root may write anywhere
    sys.exit(main(words))


@pytest.mark.parametrize("words", [["inspect"], ["evaluate", "--episodes", "1"]])
def test_a_folder_that_cannot_be_written_is_said_before_any_game(trained, tmp_path, words):
    name, *more = words
    folder, said = run_of(trained, "coordconv"), tmp_path / "said"
    called = name, str(folder), *more
    process = forked.call(call_without_writing, *called, folder=tmp_path, said=(os.devnull, said))
    process.join(LIMIT)
    assert process.exitcode == 2
    assert (
        said.read_text()
        .strip()
        .endswith(f"error: cannot write to {folder}: copy it to where you may, or change its mode")
    )
