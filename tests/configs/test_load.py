from __future__ import annotations

import pytest

from coordconv_rl.configs.load import (
    experiment_names,
    load_experiment,
    load_run,
    new_run,
    parse,
    preset,
    read_yaml,
    to_yaml,
)
from coordconv_rl.configs.schema import ExperimentConfig
from coordconv_rl.errors import InputError


def test_presets_are_rl_zoos():
    ppo, a2c = preset("ppo"), preset("a2c")
    assert (ppo.n_envs, ppo.n_steps, ppo.n_epochs, ppo.batch_size) == (8, 128, 4, 256)
    assert (ppo.learning_rate, ppo.clip_range, ppo.schedule) == (2.5e-4, 0.1, "linear")
    assert (ppo.vf_coef, ppo.ent_coef) == (0.5, 0.01)
    assert (a2c.n_envs, a2c.n_steps, a2c.learning_rate, a2c.schedule) == (16, 5, 7e-4, "constant")
    assert (a2c.vf_coef, a2c.ent_coef) == (0.25, 0.01)


@pytest.mark.parametrize("name", experiment_names())
def test_packaged_experiments_are_valid(name):
    experiment = load_experiment(name)
    assert experiment.name == name
    assert experiment.steps > 0


def test_quick_and_atari_10_say_what_they_promise():
    assert {"cnn", "coordconv", "shuffled"} <= set(load_experiment("quick").arms)
    serious = load_experiment("atari-10")
    assert serious.suite == "atari-10"
    assert serious.steps == 10_000_000
    assert set(serious.algos) == {"a2c", "ppo"}
    assert len(serious.seeds) == 5


def test_run_survives_yaml(tmp_path, small_run):
    config = small_run("a2c", protocol="v5", full_action_space=True)
    path = tmp_path / "config.yaml"
    path.write_text(to_yaml(config))
    assert load_run(path) == config


def test_experiment_survives_yaml(tmp_path):
    experiment = load_experiment("quick")
    path = tmp_path / "mine.yaml"
    path.write_text(to_yaml(experiment))
    assert load_experiment(str(path)) == experiment


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2\n", "'a' stands twice"),
        ("- 1\n", "mapping"),
        ("a: [1\n", "not valid YAML"),
        ("a: !!python/object/apply:os.system ['true']\n", "not valid YAML"),
    ],
)
def test_bad_yaml_is_one_line(tmp_path, text, message):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        read_yaml(path)
    assert "\n" not in str(caught.value)


BASE = {
    "name": "mine",
    "description": "",
    "algos": ["ppo"],
    "arms": ["cnn"],
    "games": ["Pong"],
    "seeds": [0],
    "steps": 10,
}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stepz": 3}, "did you mean steps"),
        ({"algos": ["ppp"]}, "did you mean ppo"),
        ({"arms": ["coordcnv"]}, "did you mean coordconv"),
        ({"games": ["Breakuot"]}, "did you mean Breakout"),
        ({"games": [], "suite": "atari-11"}, "atari-10"),
        ({"seeds": [1, 1]}, "more than once"),
        ({"seeds": [-1]}, "at least 0"),
        ({"seeds": [True]}, "integer"),
        ({"steps": 0}, "at least 1"),
        ({"steps": "many"}, "integer"),
        ({"arms": []}, "empty"),
        ({"name": "../up"}, "letters"),
        ({"device": "tpu"}, "cpu, cuda"),
        ({"full_action_space": True}, "v5"),
        ({"overrides": {"a2c": {"n_envs": 2}}}, "not among the algos"),
        ({"overrides": {"ppo": {"n_env": 2}}}, "did you mean n_envs"),
        ({"evaluation": {"episode": 2}}, "did you mean episodes"),
    ],
)
def test_bad_experiment_names_the_way_out(tmp_path, changes, message):
    path = tmp_path / "mine.yaml"
    import yaml

    path.write_text(yaml.safe_dump(BASE | changes))
    with pytest.raises(InputError, match=message) as caught:
        load_experiment(str(path))
    assert "\n" not in str(caught.value)


def test_a_run_is_completed_by_the_default_and_its_algorithms_preset():
    config = new_run({"algo": "a2c", "seed": 4, "hyperparameters": {"n_steps": 8}}, "mine")
    assert (config.game, config.arm, config.seed, config.steps) == (
        "Breakout", "coordconv", 4, 10_000_000,
    )  # fmt: skip
    assert config.hyperparameters == preset("a2c", {"n_steps": 8})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"hyperparameters": 3}, "mine: hyperparameters must be a mapping"),
        ({"hyperparameters": {"n_step": 3}}, "did you mean n_steps"),
        ({"hyperparameters": {"gamma": "1e-4"}}, "write 1.0e-4"),
        ({"hyperparameters": {"gamma": "high"}}, "valid number$"),
        ({"algo": "dqn"}, "unknown algorithm 'dqn'"),
        ({"gmae": "Pong"}, "did you mean game"),
    ],
)
def test_a_run_that_makes_no_sense(values, message):
    with pytest.raises(InputError, match=message):
        new_run(values, "mine")


def test_arms_and_algorithms_are_named_in_the_singular():
    values = BASE | {"algos": ["pppo"]}
    with pytest.raises(InputError, match="unknown algo 'pppo': did you mean ppo"):
        parse(ExperimentConfig, values, "mine")
