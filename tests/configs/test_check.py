from __future__ import annotations

import dataclasses

import pytest

from coordconv_rl.configs import load_experiment, new_run, to_yaml
from coordconv_rl.configs.check import check_run
from coordconv_rl.errors import InputError


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


def test_more_workers_than_environments(small_run):
    with pytest.raises(InputError, match="only 2 environments"):
        check_run(small_run(workers=3))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"protocol": "v5"},
            r"protocol is v5, .* no game here is Atari.s \(minatar\)",
        ),
        ({"workers": 2}, r"workers is 2, but the games \(minatar\) play in the training process"),
    ],
)
def test_settings_that_no_game_takes_are_refused(values, message):
    game = {"game": "minatar/breakout"}
    with pytest.raises(InputError, match=message):
        new_run(game | values, "test")
    with pytest.raises(InputError, match=message):
        load_experiment("minatar-ppo", values)
    assert new_run({"game": "Pong"} | values, "test").game == "Pong"
    mixed = {"games": ["Pong", "minatar/breakout"], "suite": None}
    assert load_experiment("quick", mixed | values).games == ("Pong", "minatar/breakout")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"comparisons": [["coordcon", "cnn"]]}, "unknown arm in comparisons 'coordcon': did you"),
        ({"comparisons": [["cnn", "cnn"]]}, "comparisons hold cnn against itself"),
        ({"comparisons": [["coordconv", "cnn"], ["cnn", "coordconv"]]}, "cnn against coordconv mo"),
        ({"comparisons": [["coordconv"]]}, "comparisons.0"),
        ({"equivalence": 0}, "equivalence is 0"),
    ],
)
def test_bad_comparisons(changes, message):
    with pytest.raises(InputError, match=message):
        load_experiment("quick", changes)


def test_comparisons_are_kept_in_yaml_only_where_they_are_named(tmp_path):
    path = tmp_path / "experiment.yaml"
    named = load_experiment("quick", {"comparisons": [["shuffled", "cnn"]], "equivalence": 0.05})
    path.write_text(to_yaml(named))
    assert load_experiment(str(path)) == named
    assert named.comparisons == (("shuffled", "cnn"),)
    plain = to_yaml(load_experiment("quick"))
    assert "comparisons" not in plain
    assert "equivalence" not in plain
