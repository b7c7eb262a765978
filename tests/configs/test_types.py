"""Arms in runs and experiments: one spelling, one folder each, names on the command line."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import yaml

from coordconv_rl.cli.comparison import Compare
from coordconv_rl.cli.train import Train
from coordconv_rl.comparison.plan import expand
from coordconv_rl.configs import (
    Evaluation,
    check_trust,
    load_experiment,
    load_run,
    needs_code,
    new_run,
    preset,
    to_yaml,
)
from coordconv_rl.errors import InputError

OWN = {"extractor": "nets:Tiny", "kwargs": {"width": 16}, "name": "tiny"}


@pytest.fixture
def experiment(tmp_path):
    def write(**changes):
        values = {
            "name": "own", "description": "Arms.", "algos": ["ppo"], "games": ["Breakout"],
            "arms": ["cnn", OWN], "seeds": [0, 1], "steps": 64,
        }  # fmt: skip
        path = tmp_path / "own.yaml"
        path.write_text(yaml.safe_dump(values | changes))
        return path

    return write


@pytest.mark.parametrize(
    ("arm", "label", "network"),
    [
        ("coordconv-pool", "coordconv-pool", ("nature", "pool")),
        ("cnn-impala", "cnn-impala", ("impala", "spatial-softmax")),
        ({"coords": [0, 2], "radius": True}, "coordconv-0.2-r", ("nature", "spatial-softmax")),
        ({"coords": "all", "name": "mine"}, "mine", ("nature", "spatial-softmax")),
    ],
)
def test_a_runs_file_says_all_of_its_arm(tmp_path, arm, label, network):
    run = new_run({"arm": arm, "head": "spatial-softmax"}, "test")
    assert run.run_id == f"ppo/Breakout/{label}/seed-0"
    assert (run.resolved_arm.backbone, run.resolved_arm.head) == network
    (tmp_path / "config.yaml").write_text(to_yaml(run))
    assert load_run(tmp_path / "config.yaml") == run


def test_two_spellings_are_one_arm():
    assert new_run({"arm": {"coords": "first", "head": "pool"}}, "test").arm == "coordconv-pool"


@pytest.mark.parametrize(
    ("arms", "message"),
    [
        (["cnn", "cnn"], "arms holds cnn more than once"),
        (["coordconv", {"coords": "first"}], "arms holds coordconv more than once"),
        (
            [{"coords": "all", "name": "x"}, {"coords": "first", "name": "X"}],
            "would share a folder",
        ),
        ([{"coords": [7]}], "0 to 2"),
        ([{"extractor": "nets.Tiny"}], r"write package\.module:Class"),
        ([3], "arms.0 is 3: write an arm's name, or a mapping"),
        ([], "arms is empty"),
        (["cnn", {"name": "a/b", "coords": "all"}], "an arm's name is 'a/b'"),
    ],
)
def test_arms_that_make_no_sense_are_one_line(experiment, arms, message):
    with pytest.raises(InputError, match=message):
        load_experiment(str(experiment(arms=arms)))


def test_one_extractor_of_ones_own_puts_all_arms_on_sb3s_path(experiment):
    found = load_experiment(str(experiment()))
    assert [(run.arm_label, run.path) for run in expand(found)[:2]] == [
        ("cnn", "plain"), ("tiny", "plain"),
    ]  # fmt: skip
    assert needs_code(found)
    built_in = load_experiment(str(experiment(arms=["cnn", "coordconv"])))
    assert {run.path for run in expand(built_in)} == {"fast"}
    assert not needs_code(built_in)
    with pytest.raises(InputError, match="precision is bfloat16"):
        load_experiment(str(experiment(precision="bfloat16")))


def test_a_run_that_needs_code_needs_trust():
    with pytest.raises(InputError, match=r"the arm tiny is made by nets:Tiny.*--trust-code"):
        check_trust(new_run({"arm": OWN}, "test"), trust_code=False)


def test_arms_are_typed_by_the_names_that_the_file_gives_them(experiment):
    file = str(experiment())
    words = [file, "--arms", "tiny", "coordconv-pool", "--seeds", "1"]
    config = Compare.read(words, "compare").config()
    assert config.arms == (OWN, "coordconv-pool")
    assert Compare.read([file, "--seeds", "1"], "compare").config().arms == ("cnn", OWN)
    with pytest.raises(InputError, match="unknown arm 'tony'"):
        Compare.read([file, "--arms", "tony"], "compare").config()


def test_train_takes_heads_and_arms_with_them():
    run = Train.read(["--arm", "coordconv-pool", "--head", "spatial-softmax"], "train").settings
    assert run.resolved_arm.head == "pool"
    run = Train.read(["--head", "pool", "--plain"], "train").settings
    assert (run.resolved_arm.head, run.path) == ("pool", "plain")


def test_numpy_numbers_are_plain_ones(tmp_path, small_run, experiment):
    """However they come in: as values, as fields of a configuration, or into its copy."""
    plain = {"seed": 3, "steps": 64, "threads": 1, "workers": 2, "checkpoint_minutes": 0.5}
    found = {name: np.asarray(value)[()] for name, value in plain.items()}
    assert not any(type(value) is int for value in found.values())
    evaluation = {"episodes": np.int64(4), "greedy": np.bool_(False)}
    settings = {"n_envs": np.int64(4), "gamma": np.float32(0.5)}
    runs = [
        small_run(
            **found, evaluation=Evaluation(**evaluation), hyperparameters=preset("ppo", settings)
        ),
        new_run({**found, "evaluation": evaluation, "hyperparameters": settings}, "here"),
    ]
    path = tmp_path / "run.yaml"
    for run in runs:
        assert {name: getattr(run, name) for name in plain} == plain
        assert type(run.seed) is int
        path.write_text(to_yaml(run))
        assert load_run(path) == run
    mine = load_experiment(str(experiment()), {"seeds": np.arange(3), "steps": np.int64(128)})
    assert (mine.seeds, mine.steps) == ((0, 1, 2), 128)
    other = replace(mine, seeds=tuple(np.arange(3)), steps=np.int64(128))
    assert to_yaml(other) == to_yaml(mine)
    with pytest.raises(InputError, match="is neither a number"):
        new_run({"seed": {1, 2}}, "here")
