from __future__ import annotations

import pytest
from synthetic import make_experiment, rows

from coordconv_rl.cli.comparison import Compare
from coordconv_rl.cli.main import main
from coordconv_rl.configs import load_experiment, to_yaml
from coordconv_rl.errors import InputError

PROG = "coordconv-rl compare"


def config(*words: object):
    return Compare.read([str(word) for word in words], PROG).config()


def test_without_options_it_is_the_experiment_as_it_stands():
    assert config() == load_experiment("quick")
    assert config("atari-10") == load_experiment("atari-10")


def test_options_replace_the_experiments_settings():
    changes = {"arms": ["cnn", "coordconv-pool"], "seeds": [3, 7], "steps": 640, "threads": 2}
    changes["evaluation"] = {"episodes": 2, "greedy": False}
    read = config(
        "quick", "--arms", "cnn", "coordconv-pool", "--seeds", 3, 7, "--steps", 640,
        "--threads", 2, "--episodes", 2,
    )  # fmt: skip
    assert read == load_experiment("quick", changes)


def test_one_number_of_seeds_is_how_many():
    assert config("quick", "--seeds", 4).seeds == (0, 1, 2, 3)
    assert config("quick", "--seeds", 4, 9).seeds == (4, 9)
    for number in (0, -2, 10_001):
        with pytest.raises(InputError, match=f"--seeds {number}: one number is how many seeds"):
            config("quick", "--seeds", number)


@pytest.mark.parametrize("there", [1, 3])
def test_so_many_seeds_are_meant_where_the_file_has_the_number_as_a_seed(tmp_path, there):
    file = tmp_path / "one.yaml"
    file.write_text(
        "{name: one, description: One., algos: [ppo], arms: [cnn], steps: 640, games: [Pong],"
        f" seeds: [{there}]}}"
    )
    assert config(file).seeds == (there,)
    assert config(file, "--seeds", there).seeds == tuple(range(there))
    assert config(file, "--seeds", 4, "--steps", 320).seeds == (0, 1, 2, 3)
    assert config(file, f"--seeds={there}").seeds == tuple(range(there))


def test_games_stand_instead_of_a_suite_and_the_other_way_round():
    read = config("atari-10", "--games", "Pong")
    assert (read.games, read.suite) == (("Pong",), None)
    read = config("quick", "--suite", "atari-5")
    assert (read.games, read.suite) == ((), "atari-5")
    with pytest.raises(InputError, match="both given"):
        config("quick", "--suite", "atari-5", "--games", "Pong")


def test_what_the_file_says_of_games_and_algorithms_that_are_left_out_is_left_out(tmp_path):
    file = tmp_path / "two.yaml"
    file.write_text(
        "{name: two, description: Two., algos: [ppo, a2c], arms: [cnn], seeds: [0], steps: 640,"
        " games: [one, other], environments: {one: {make: 'm:One'}, other: {make: 'm:Other'}},"
        " overrides: {ppo: {n_steps: 64}, a2c: {n_steps: 8}}}"
    )
    assert set(config(file, "--games", "one").environments) == {"one"}
    assert config(file, "--suite", "atari-5").environments == {}
    read = config(file, "--algos", "a2c", "--set", "a2c.gamma=0.9")
    assert read.overrides == {"a2c": {"n_steps": 8, "gamma": 0.9}}
    with pytest.raises(InputError, match="among the algos"):
        config(file, "--algos", "a2c", "--set", "ppo.n_steps=8")


def test_set_replaces_one_hyperparameter_and_keeps_the_others():
    read = config("quick", "--set", "ppo.n_steps=64", "--set", "ppo.learning-rate=1e-4")
    assert read.overrides == {"ppo": {"n_steps": 64, "batch_size": 128, "learning_rate": 1e-4}}
    assert type(read.overrides["ppo"]["n_steps"]) is int
    assert config("quick", "--set", "ppo.schedule=constant").overrides["ppo"]["schedule"] == (
        "constant"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--set", "n_steps=64"], "write ALGO.NAME=VALUE, as in ppo.n_steps=64"),
        (["--set", "ppo.n_steps"], "write ALGO.NAME=VALUE"),
        (["--set", "a2c.n_steps=64"], "overrides name 'a2c', which is not among the algos"),
        (["--set", "ppo.n_step=64"], "unknown key 'n_step': did you mean n_steps"),
        (["--set", "ppo.n_steps=many"], "n_steps is 'many'"),
        (["--arms", "cnn", "coordcnv"], "unknown arm 'coordcnv': did you mean coordconv"),
        (["--algos", "pppo"], "unknown algo 'pppo': did you mean ppo?"),
        (["--seeds", "one"], "--seeds cannot be 'one'"),
        (["--jbos", "2"], "unknown option '--jbos': did you mean --jobs"),
        (["--address", "10.0.0.1"], "an address needs the ray backend"),
    ],
)
def test_what_makes_no_sense_is_one_line(capsys, monkeypatch, tmp_path, words, said):
    monkeypatch.chdir(tmp_path)
    assert main(["compare", "quick", *words]) == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert printed.count("\n") == 1
    assert not any(tmp_path.iterdir())


def test_the_help_shows_the_named_experiments_settings(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["compare", "atari-10", "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.replace("│", " ").split())
    for part in (
        "EXPERIMENT", "(default: atari-10)", "(default: runs/NAME)", "(default: a2c ppo)",
        "(default: 0 1 2 3 4)", "(default: 10000000)", "--set ALGO.NAME=VALUE", "--no-inspect",
        "--backend {local,ray,slurm}", "--slurm NAME=VALUE", "--dry-run",
    ):  # fmt: skip
        assert part in shown
    assert "None" not in shown


def test_export_says_how_much_it_is_and_refuses_what_exists(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_experiment(tmp_path / "runs", games=("Pong",), seeds=(1,))
    assert main(["export", "runs", "out"]) == 0
    assert capsys.readouterr().out.startswith("out: 3 of 3 runs done; ")
    assert main(["export", "runs", "out"]) == 2
    assert "out exists: name a folder that does not" in capsys.readouterr().err


def test_a_baseline_and_fewer_arms_choose_the_pairs(tmp_path):
    file = tmp_path / "own.yaml"
    named = {"comparisons": [["coordconv", "cnn"], ["coordconv", "shuffled"]]}
    file.write_text(to_yaml(load_experiment("quick", named)))
    assert config(file).comparisons == (("coordconv", "cnn"), ("coordconv", "shuffled"))
    assert config(file, "--arms", "cnn", "coordconv").comparisons == (("coordconv", "cnn"),)
    chosen = config(file, "--baseline", "shuffled")
    assert chosen.comparisons == (("cnn", "shuffled"), ("coordconv", "shuffled"))
    with pytest.raises(InputError, match="unknown baseline 'nobody'"):
        config(file, "--baseline", "nobody")


def test_report_takes_a_baseline(tmp_path, capsys):
    make_experiment(tmp_path, games=("Pong",), seeds=(1, 2, 3))
    assert main(["report", str(tmp_path), "--baseline", "shuffled"]) == 0
    assert {(r["arm"], r["against"]) for r in rows(tmp_path, "verdicts.csv")} == {
        ("cnn", "shuffled"), ("coordconv", "shuffled"),
    }  # fmt: skip
    assert main(["report", str(tmp_path), "--baseline", "shufled"]) == 2
    assert "did you mean shuffled?" in capsys.readouterr().err
