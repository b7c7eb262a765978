"""The example of a game and a network of one's own, as a user types it."""

from __future__ import annotations

import csv
import shutil
import sys
from pathlib import Path

import forked
import pytest
from gymnasium.utils.env_checker import check_env

from coordconv_rl.configs import load_experiment

EXAMPLE = Path(__file__).parents[2] / "examples" / "own-game"


@pytest.fixture
def here(tmp_path):
    if not EXAMPLE.is_dir():
        pytest.skip("not a checkout")
    for name in ("my_game.py", "my_network.py", "experiment.yaml"):
        shutil.copy(EXAMPLE / name, tmp_path)
    return tmp_path


def test_the_game_is_one_and_only_the_dots_place_tells(here, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(here), *sys.path])
    from my_game import SIDE, LeftOrRight

    env = LeftOrRight()
    check_env(env, skip_render_check=True)
    image, _ = env.reset(seed=1)
    for _ in range(16):
        is_right = image[:, SIDE // 2 :].any()
        assert image[:, : SIDE // 2].any() != is_right
        image, reward, done, _, _ = env.step(int(is_right))
        assert reward == 1
    assert done


def test_from_the_experiments_file_to_the_verdict(here, tmp_path_factory):
    words = "compare experiment.yaml --steps 256 --seeds 2 --episodes 1 --jobs 2 --no-inspect"
    done = forked.run(*words.split(), folder=here, said=tmp_path_factory.mktemp("said"))
    assert done.returncode == 0, done.stdout + done.stderr
    folder = here / "runs" / "own-game"
    with (folder / "report" / "verdicts.csv").open(newline="") as file:
        (pair,) = csv.DictReader(file)
    assert (pair["arm"], pair["against"]) == ("small-coordconv", "small")
    assert "a small-coordconv agent beats a small agent with probability" in pair["verdict"]
    with (folder / "report" / "aggregates.csv").open(newline="") as file:
        assert {row["scale"] for row in csv.DictReader(file)} <= {"min-max"}
    assert load_experiment(str(here / "experiment.yaml")).path == "plain"
