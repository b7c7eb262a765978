"""Names of games that mean one game, and settings that have an effect on one."""

from __future__ import annotations

import pytest
from folders import experiment

from coordconv_rl.configs import Evaluation, new_run
from coordconv_rl.configs.check import check_experiment
from coordconv_rl.envs import ImageGame
from coordconv_rl.errors import InputError


@pytest.mark.parametrize(
    ("games", "message"),
    [
        (["Pong"], r"Pong is the name of an Atari game.* such as my-Pong"),
        (["minatar/breakout", "minatar-Breakout"], "minatar/breakout and minatar-Breakout would"),
    ],
)
def test_an_own_game_has_no_name_of_ataris_and_no_folder_of_another(games, message):
    made = {games[-1]: ImageGame("my:dots")}
    asked = experiment(games=tuple(games), environments=made)
    with pytest.raises(InputError, match=message):
        check_experiment(asked)


def test_a_run_of_an_own_game_has_no_name_of_ataris():
    with pytest.raises(InputError, match="Pong is the name of an Atari game"):
        new_run({"game": "Pong", "environment": {"make": "my:dots"}}, "test")


def test_a_size_of_images_is_ataris_alone():
    for size, message in ((168, "screen_size is 168, which is of Atari's images"), (0, "at least")):
        with pytest.raises(InputError, match=message):
            new_run({"game": "minatar/breakout", "screen_size": size}, "test")
    with pytest.raises(InputError, match="screen_size is 10000: it must be at most 1024"):
        new_run({"game": "Pong", "screen_size": 10_000}, "test")
    check_experiment(experiment(games=("Pong", "minatar/breakout"), screen_size=168))


def test_who_is_not_judged_is_not_judged_otherwise():
    values = {"make": "my:dots", "evaluation_kwargs": {"level": 2}}
    nobody = Evaluation(episodes=0)
    asked = experiment(
        games=("dots",), environments={"dots": ImageGame(**values)}, evaluation=nobody
    )
    with pytest.raises(InputError, match=r"episodes is 0, so that dots's evaluation_kwargs"):
        check_experiment(asked)
    with pytest.raises(InputError, match=r"episodes is 0, so that dots's evaluation_kwargs"):
        new_run({"game": "dots", "environment": values, "evaluation": {"episodes": 0}}, "test")
