"""The runs of an experiment, and the folder that remembers it."""

from __future__ import annotations

import pytest
import yaml
from folders import experiment

from coordconv_rl.comparison import plan, results
from coordconv_rl.configs import make_run_id, new_run, to_yaml
from coordconv_rl.configs.load import load_experiment, preset
from coordconv_rl.errors import InputError


def test_the_plan_is_every_combination_with_the_longest_first():
    runs = plan.expand(experiment())
    assert isinstance(runs, tuple)
    assert len(runs) == len({run.run_id for run in runs}) == 16
    assert [run.run_id for run in runs[:5]] == [
        "ppo/Pong/cnn/seed-3",
        "ppo/Pong/coordconv/seed-3",
        "ppo/DoubleDunk/cnn/seed-3",
        "ppo/DoubleDunk/coordconv/seed-3",
        "ppo/Pong/cnn/seed-5",
    ]
    assert {run.algo for run in runs[8:]} == {"a2c"}
    assert runs[0].hyperparameters == preset("ppo", {"n_steps": 64})
    assert runs[-1].hyperparameters == preset("a2c")
    assert [make_run_id(*key) for key in plan.run_keys(experiment())] == [r.run_id for r in runs]


def test_what_all_runs_share_comes_from_the_experiment():
    run = plan.expand(experiment(protocol="v5", precision="float32", workers=2))[0]
    assert (run.protocol, run.precision, run.workers, run.steps) == ("v5", "float32", 2, 1000)


def test_a_run_says_nothing_that_its_own_game_does_not_know():
    """Only then can it be trained again from its own configuration."""
    games = ("Pong", "minatar/breakout")
    mixed = experiment(games=games, protocol="v5", screen_size=42, workers=2, algos=("ppo",))
    settings = {
        run.game: (run.protocol, run.screen_size, run.workers)
        for run in plan.expand(mixed)
        if check_run_alone(run)
    }
    assert settings == {"Pong": ("v5", 42, 2), "minatar/breakout": ("v4", 84, 0)}


def check_run_alone(config) -> bool:
    new_run(yaml.safe_load(to_yaml(config)), "test")
    return True


@pytest.mark.parametrize("name", ["quick", "atari-10"])
def test_the_packaged_experiments_expand(name):
    config = load_experiment(name)
    runs = plan.expand(config)
    cells = len(config.algos) * len(plan.planned_games(config)) * len(config.arms)
    assert len(runs) == cells * len(config.seeds)
    assert {"cnn", "coordconv", "shuffled"} <= set(config.arms)


def test_a_folder_remembers_its_experiment_exactly(tmp_path):
    config = experiment(games=(), suite="atari-10", overrides={"ppo": {"learning_rate": 1e-3}})
    plan.write_experiment(tmp_path / "new", config)
    assert plan.read_experiment(tmp_path / "new") == config
    plan.write_experiment(tmp_path / "new", config)


def test_a_folder_without_an_experiment_says_so(tmp_path):
    with pytest.raises(InputError, match=r"holds no experiment \(no experiment.yaml\)"):
        results.read_results(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write to"):
        plan.write_experiment(tmp_path / "file" / "folder", experiment())
