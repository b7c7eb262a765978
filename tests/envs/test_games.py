from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import ale_py  # noqa: F401  (registers the games)
import gymnasium
import pytest

from coordconv_rl.cli.main import main
from coordconv_rl.envs.atari import AtariVecEnv
from coordconv_rl.envs.games import (
    GAMES,
    SUITES,
    TINY_RANGE_GAMES,
    check_game,
    human_normalised,
    reference_scores,
)
from coordconv_rl.errors import InputError


def test_games_are_those_that_gymnasium_lists() -> None:
    registered = {id_[4:-3] for id_ in gymnasium.registry if id_.startswith("ALE/")}
    assert set(GAMES) == registered


def test_suites() -> None:
    assert {name: len(games) for name, games in SUITES.items()} == {
        "atari-5": 5,
        "atari-10": 10,
        "atari-26": 26,
        "atari-57": 57,
        "minatar": 5,
    }
    for name, games in SUITES.items():
        assert len(set(games)) == len(games)
        assert name == "minatar" or set(games) <= set(SUITES["atari-57"]) <= set(GAMES)
    assert set(reference_scores()) == set(SUITES["atari-57"])
    with_benchmark = {g for g, row in reference_scores().items() if row.rlzoo_ppo_10m is not None}
    assert set(SUITES["atari-10"]) == with_benchmark


def test_human_normalised_scores() -> None:
    assert human_normalised("Pong", -20.7) == 0
    assert human_normalised("Pong", 14.6) == 1
    assert human_normalised("Breakout", 16.1) == pytest.approx(0.5)  # (16.1 - 1.7) / 28.8
    assert human_normalised("Tetris", 5.0) is None


def test_tiny_ranges_are_the_two_smallest_for_their_scores() -> None:
    scores = reference_scores()

    def size(game: str) -> float:
        row = scores[game]
        return (row.human - row.random) / max(abs(row.human), abs(row.random))

    assert set(sorted(scores, key=size)[:2]) == TINY_RANGE_GAMES


def test_unknown_game_names_the_closest() -> None:
    with pytest.raises(InputError, match="unknown game 'Brekout': did you mean Breakout"):
        check_game("Brekout")
    with pytest.raises(InputError, match="MsPacman"):
        check_game("ms_pacman")


@pytest.mark.parametrize(
    ("name", "game"),
    [
        ("PongNoFrameskip-v4", "Pong"),
        ("ALE/Pong-v5", "Pong"),
        ("pong", "Pong"),
        ("Pong-v4", "Pong"),
        ("Pong-ramDeterministic-v0", "Pong"),
        ("ALE/MsPacman-ram-v5", "MsPacman"),
        ("ms_pacman", "MsPacman"),
        ("SPACEINVADERS", "SpaceInvaders"),
    ],
)
def test_an_environments_id_names_its_game(name: str, game: str) -> None:
    with pytest.raises(InputError, match=f"did you mean {game}[?]") as caught:
        check_game(name)
    assert str(caught.value).count("did you mean") == 1
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["PongNoFrameskip-v4", "ALE/Pong-v5", "pong"])
def test_an_environments_id_is_one_line_wherever_games_are_named(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for words in (
        ["train", "--game", name],
        ["compare", "quick", "--games", name],
        ["compare", "quick", "--games", "Breakout", name],
    ):
        assert main(words) == 2
        said = capfd.readouterr().err
        assert f"unknown game {name!r}: did you mean Pong?" in said
        assert said.count("\n") == 1, said
        assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match=r"did you mean Pong\?") as caught:
        AtariVecEnv(name)
    assert "\n" not in str(caught.value)


def test_names_need_no_heavy_import() -> None:
    code = (
        "import sys, coordconv_rl.envs.games as g; g.reference_scores(); "
        "print([m for m in ('torch','gymnasium','ale_py','stable_baselines3') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_game_of_minatar_is_no_game_of_ataris_and_the_error_says_whose():
    with pytest.raises(InputError, match=r"'minatar/breakout' is a game of MinAtar.*MinAtarVecEnv"):
        check_game("minatar/breakout")
