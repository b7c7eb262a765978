from __future__ import annotations

import dataclasses

import pytest

from coordconv_rl.configs.check import check_run
from coordconv_rl.configs.load import (
    experiment_names,
    load_experiment,
    load_run,
    preset,
    read_yaml,
    to_yaml,
)
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


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gamma": 1.5}, "at most 1"),
        ({"learning_rate": float("nan")}, "finite"),
        ({"batch_size": 15}, "divide"),
        ({"batch_size": None}, "needs a batch_size"),
        ({"n_steps": 0}, "at least 1"),
    ],
)
def test_bad_hyperparameters(small_run, changes, message):
    good = small_run()
    bad = dataclasses.replace(good.hyperparameters, **changes)
    with pytest.raises(InputError, match=message):
        check_run(dataclasses.replace(good, hyperparameters=bad))


@pytest.mark.parametrize(
    ("threads", "workers", "cores"), [(1, 0, 1), (2, 0, 2), (2, 2, 2), (1, 2, 2)]
)
def test_cores_of_a_run(small_run, threads, workers, cores):
    """Threads and other processes take turns, so a run never needs room for both."""
    assert small_run(threads=threads, workers=workers).cores == cores


def test_more_workers_than_environments(small_run):
    with pytest.raises(InputError, match="only 2 environments"):
        check_run(small_run(workers=3))
