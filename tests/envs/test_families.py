from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv

from coordconv_rl.envs import (
    SUITES,
    AtariVecEnv,
    EnvSettings,
    ImageGame,
    MinAtarVecEnv,
    SavesState,
    family_of,
    own_code,
    resolve_games,
)
from coordconv_rl.errors import InputError

DOT = ImageGame("image_games:dot")


def test_resolve_games() -> None:
    assert resolve_games(suite="atari-5") == SUITES["atari-5"]
    assert resolve_games(("Pong", "Breakout")) == ("Pong", "Breakout")


@pytest.mark.parametrize(
    ("games", "suite", "message"),
    [
        (("Pong",), "atari-5", "both given"),
        ((), None, "no games"),
        ((), "atari-6", "did you mean atari-"),
        (("Pong", "Pong"), None, "more than once"),
        (("Pung",), None, "did you mean Pong"),
    ],
)
def test_resolve_games_refuses(games: tuple[str, ...], suite: str | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        resolve_games(games, suite)


def settings(game: str, environment: ImageGame | None = None, **more: object) -> EnvSettings:
    values = {"n_envs": 2, "seed": 3, "training": True, **more}
    return EnvSettings(game=game, environment=environment, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("game", "environment", "name"),
    [
        ("Breakout", None, "atari"),
        ("minatar/breakout", None, "minatar"),
        ("CarRacing-v3", None, "gymnasium"),
        ("ALE/Pong-v5", None, "atari"),  # whose check says the right name
        ("pong", ImageGame("ALE/Pong-v5"), "gymnasium"),
        ("my.games:maze", None, "gymnasium"),
        ("maze", DOT, "gymnasium"),
        ("Brekout", None, "atari"),  # whose check names the closest
    ],
)
def test_a_name_tells_the_family(game: str, environment: ImageGame | None, name: str) -> None:
    assert family_of(game, environment).name == name


def test_what_each_family_builds() -> None:
    atari = family_of("Pong").build(settings("Pong", protocol="v5", full_action_space=True))
    assert isinstance(atari, AtariVecEnv)
    assert atari.action_space.n == 18  # type: ignore[attr-defined]
    large = family_of("Pong").build(settings("Pong", screen_size=168))
    assert large.observation_space.shape == (4, 168, 168)
    minatar = family_of("minatar/freeway").build(settings("minatar/freeway"))
    assert isinstance(minatar, MinAtarVecEnv)
    assert np.array_equal(minatar.reset(), MinAtarVecEnv("freeway", 2, seed=3).reset())
    assert minatar.max_steps == 27_000
    other = family_of("dots", DOT).build(settings("dots", DOT))
    assert isinstance(other, DummyVecEnv)
    assert other.reset().shape == (2, 3, 40, 48)
    for env in (atari, large, minatar, other):
        env.close()
    several = family_of("dots", DOT).build(settings("dots", DOT, workers=2))
    assert isinstance(several, SubprocVecEnv)
    several.close()


@pytest.mark.parametrize("workers", [0, 2])
def test_training_and_judging_may_have_other_kwargs(workers: int) -> None:
    game = ImageGame("image_games:dot", {"length": 5}, evaluation_kwargs={"length": 3})
    family, lengths = family_of("dots", game), []
    for training in (True, False):
        env = family.build(settings("dots", game, training=training, workers=workers))
        lengths.append(env.get_attr("length"))
        env.close()
    assert lengths == [[5, 5], [3, 3]]


@pytest.mark.parametrize(
    ("game", "environment"), [("Pong", None), ("minatar/freeway", None), ("dots", DOT)]
)
def test_a_family_says_whether_its_state_can_be_saved(
    game: str, environment: ImageGame | None
) -> None:
    family = family_of(game, environment)
    env = family.build(settings(game, environment))
    assert isinstance(env, SavesState) == family.is_exact
    env.close()


def test_scores_have_references_on_atari_alone() -> None:
    assert family_of("Pong").normalised("Pong", -20.7) == 0
    assert family_of("minatar/breakout").normalised("minatar/breakout", 9.0) is None
    assert family_of("CarRacing-v3").normalised("CarRacing-v3", 900.0) is None


def test_frames_and_protocols() -> None:
    assert [family_of(game).frames for game in ("Pong", "minatar/breakout")] == [4, 1]
    assert family_of("Pong").protocol("v5") == "v5"
    assert family_of("minatar/breakout").protocol("v4") == "minatar"


def test_own_code_is_named() -> None:
    assert own_code("dots", DOT) == "image_games:dot"
    assert own_code("image_games:dot") == "image_games:dot"
    for game in ("Pong", "minatar/breakout", "CarRacing-v3"):
        assert own_code(game) is None


def test_games_of_all_families_resolve() -> None:
    games = ("Pong", "minatar/seaquest", "CarRacing-v3", "dots")
    assert resolve_games(games, environments={"dots": DOT}) == games
    assert resolve_games(suite="minatar") == SUITES["minatar"]
    with pytest.raises(InputError, match="minatar/breakout"):
        resolve_games(("minatar/brekout",))
    with pytest.raises(InputError, match="CarRacing-v3"):
        resolve_games(("CarRacin-v3",))
    with pytest.raises(InputError, match="unknown game 'dots'"):
        resolve_games(("dots",))


def test_needs_no_torch() -> None:
    command = "import sys, coordconv_rl.envs.families; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", command], check=False).returncode == 0
