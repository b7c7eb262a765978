"""Games of all families in runs and experiments: presets, backbones, own environments, trust."""

from __future__ import annotations

import pytest
import yaml

from coordconv_rl.comparison.plan import expand
from coordconv_rl.configs import check_trust, load_experiment, load_run, new_run, preset, to_yaml
from coordconv_rl.envs import ImageGame
from coordconv_rl.errors import InputError

EXPERIMENT = {
    "name": "own",
    "description": "Games of all families.",
    "algos": ["ppo"],
    "games": ["Pong", "minatar/breakout", "dots"],
    "environments": {"dots": {"make": "image_games:dot", "kwargs": {"length": 5}, "stack": 2}},
    "arms": ["cnn"],
    "seeds": [0],
    "steps": 100,
}


@pytest.fixture
def experiment(tmp_path):
    def write(**changes):
        path = tmp_path / "own.yaml"
        path.write_text(yaml.safe_dump(EXPERIMENT | changes))
        return load_experiment(str(path))

    return write


def test_minatar_has_its_own_preset_and_backbone():
    run = new_run({"game": "minatar/seaquest"}, "test")
    assert run.hyperparameters == preset("ppo", family="minatar")
    assert (run.hyperparameters.n_envs, run.hyperparameters.gamma) == (64, 0.999)
    assert (run.backbone, run.played, run.ends_with_life) == ("minatar", "minatar", False)
    assert run.run_id == "ppo/minatar-seaquest/coordconv/seed-0"
    kept = new_run({"game": "minatar/seaquest", "backbone": "impala"}, "test")
    assert kept.backbone == "impala"
    assert preset("a2c", family="gymnasium") == preset("a2c")


def test_an_experiment_s_runs_have_their_family_s_settings(experiment):
    pong, minatar, dots = expand(experiment())
    assert [run.backbone for run in (pong, minatar, dots)] == ["nature", "minatar", "nature"]
    assert [run.hyperparameters.n_envs for run in (pong, minatar, dots)] == [8, 64, 8]
    assert dots.environment == ImageGame("image_games:dot", {"length": 5}, stack=2)
    assert pong.environment is None
    assert experiment(games=["minatar/freeway"], environments={}).common_backbone == "minatar"


def test_own_environments_survive_yaml(experiment, tmp_path):
    config = experiment()
    (tmp_path / "again.yaml").write_text(to_yaml(config))
    assert load_experiment(str(tmp_path / "again.yaml")) == config
    for run in expand(config):
        (tmp_path / "config.yaml").write_text(to_yaml(run))
        assert load_run(tmp_path / "config.yaml") == run
    assert "environment" not in to_yaml(expand(config)[0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"games": ["Pong"]}, "name in environments 'dots'"),
        ({"environments": {}}, "unknown game 'dots'"),
        ({"environments": {"dots": {"make": "image_games"}}}, "package.module:function"),
        ({"environments": {"dots": {"make": "a:b", "grow": 2}}}, "unknown key"),
        ({"environments": {"dots": {"make": "a:b", "stack": 0}}}, "stack is 0"),
        (
            {"games": ["d/s"], "environments": {"d/s": {"make": "a:b"}}},
            "use letters, digits",
        ),
        ({"games": ["Pong", "dots", "CarRacin-v3"]}, "CarRacing-v3"),
    ],
)
def test_what_makes_no_sense_is_one_line(experiment, changes, message):
    with pytest.raises(InputError, match=message) as error:
        experiment(**changes)
    assert "\n" not in str(error.value)


def test_only_own_code_needs_trust(experiment):
    pong, minatar, dots = expand(experiment())
    for run in (pong, minatar, new_run({"game": "CarRacing-v3"}, "test")):
        check_trust(run, trust_code=False)
    check_trust(dots, trust_code=True)
    with pytest.raises(InputError, match=r"image_games:dot, which is code.*--trust-code"):
        check_trust(dots, trust_code=False)
