from __future__ import annotations

import dataclasses
import shlex

import pytest
import yaml

from coordconv_rl.cli.main import main
from coordconv_rl.cli.train import Train
from coordconv_rl.configs import Hyperparameters, RunConfig, new_run, preset, to_yaml
from coordconv_rl.errors import InputError

PROG = "coordconv-rl train"


@pytest.fixture
def file(tmp_path):
    """A run's file that differs from the default run and from the preset."""
    path = tmp_path / "mine.yaml"
    path.write_text(
        yaml.safe_dump(
            {"game": "Pong", "threads": 2, "hyperparameters": {"n_steps": 64, "gamma": 0.9}}
        )
    )
    return path


def settings(*words: object) -> RunConfig:
    return Train.read([str(word) for word in words], PROG).settings


def test_without_options_it_is_the_default_run():
    assert settings() == new_run({}, "")


def test_every_hyperparameter_is_an_option():
    typed = {
        "n_envs": 4, "n_steps": 96, "learning_rate": 1e-4, "schedule": "constant", "gamma": 0.5,
        "gae_lambda": 0.25, "ent_coef": 0.0, "vf_coef": 1.0, "max_grad_norm": 2.0, "n_epochs": 3,
        "batch_size": 32, "clip_range": 0.75,
    }  # fmt: skip
    assert typed.keys() == {field.name for field in dataclasses.fields(Hyperparameters)}
    words = [w for name, value in typed.items() for w in (f"--{name.replace('_', '-')}", value)]
    assert settings(*words).hyperparameters == Hyperparameters(**typed)


def test_an_algorithm_brings_its_own_preset():
    assert settings("--algo", "a2c").hyperparameters == preset("a2c")
    mine = settings("--algo", "a2c", "--n-steps", 8)
    assert mine.hyperparameters == preset("a2c", {"n_steps": 8})


def test_options_replace_what_the_file_says_even_by_a_default(file):
    read = settings("--config", file, "--gamma", 0.99, "--threads", 1)
    assert (read.game, read.threads) == ("Pong", 1)
    assert read.hyperparameters == preset("ppo", {"n_steps": 64, "gamma": 0.99})


def test_another_algorithm_leaves_the_files_hyperparameters(file):
    assert settings("--config", file, "--algo", "a2c").hyperparameters == preset("a2c")
    same = settings(f"--config={file}", "--algo=ppo")
    assert same.hyperparameters == preset("ppo", {"n_steps": 64, "gamma": 0.9})


def test_a_resolved_file_gives_the_same_run(tmp_path, small_run):
    path = tmp_path / "config.yaml"
    path.write_text(to_yaml(small_run("a2c", protocol="v5")))
    assert settings("--config", path) == small_run("a2c", protocol="v5")


def test_a_resumed_run_takes_no_other_settings(tmp_path, small_run):
    (tmp_path / "config.yaml").write_text(to_yaml(small_run()))
    read = Train.read(["--resume", str(tmp_path), "--export-sb3", "agent.zip"], PROG)
    assert (read.settings, read.folder) == (small_run(), tmp_path)
    assert str(read.export_sb3) == "agent.zip"
    words = [
        "--resume",
        str(tmp_path),
        "--seed",
        "3",
        "--algo",
        "ppo",
        "--n-steps=8",
        "--no-greedy",
    ]
    with pytest.raises(InputError, match=r"leave out --algo, --seed, --n-steps, --no-greedy$"):
        Train.read(words, PROG)


def help_of(capsys, *words: object) -> str:
    assert main(["train", *map(str, words), "--help"]) == 0
    return " ".join(capsys.readouterr().out.replace("│", " ").split())


def test_the_help_shows_the_defaults_that_hold(capsys, file, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    shown = help_of(capsys)
    assert "--arm {cnn,coordconv,coordconv-r,coordconv-all,coordconv-actor,shuffled}" in shown
    assert "--schedule {constant,linear}" in shown
    assert "(default: coordconv)" in shown
    assert "(default: runs/single/ALGO/GAME/ARM/seed-N)" in shown
    assert "(default: 128)" in shown
    assert "(default: 16)" in help_of(capsys, "--algo", "a2c")
    assert "(default: Pong)" in help_of(capsys, "--config", file)


@pytest.mark.parametrize("words", [(), ("--algo", "a2c")])
def test_the_help_says_each_default_once(capsys, words):
    shown = help_of(capsys, *words)
    assert "None" not in shown
    assert shown.count("(default: ppo)") + shown.count("(default: a2c)") == 1


def test_what_goes_on_is_said_with_all_that_it_needs(tmp_path):
    plain = Train(new_run({}, ""))
    assert plain._again(tmp_path) == f"coordconv-rl train --resume {tmp_path}"
    own = Train(new_run({"game": "image_games:dot"}, ""), wandb="my project")
    words = f"coordconv-rl train --resume {tmp_path} --trust-code --wandb 'my project'"
    assert own._again(tmp_path) == words
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "config.yaml").write_text(to_yaml(own.settings))
    again = Train.read(shlex.split(own._again(folder))[2:], PROG)
    assert (again.resume, again.wandb, again.trust_code) == (folder, "my project", True)


def test_another_familys_game_leaves_what_an_own_game_was_made_for(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(
        "{game: dots, environment: {make: 'my:dots'}, backbone: minatar, "
        "hyperparameters: {gamma: 0.5}}"
    )
    assert settings("--config", path, "--trust-code").hyperparameters.gamma == 0.5
    there = settings("--config", path, "--game", "Breakout")
    assert there == settings("--game", "Breakout")
    same = settings("--config", path, "--game", "CarRacing-v3")
    assert (same.backbone, same.hyperparameters.gamma) == ("minatar", 0.5)
