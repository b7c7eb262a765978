"""MinAtar on a larger screen: the same games, at places of which some are kept for later."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import check_env

from coordconv_rl.configs import load_experiment, preset
from coordconv_rl.envs import MinAtarVecEnv

EXAMPLE = Path(__file__).parents[2] / "examples" / "shifted"
if not EXAMPLE.is_dir():
    pytest.skip("not a checkout", allow_module_level=True)


@pytest.fixture
def games(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(EXAMPLE), *sys.path])
    import shifted_games

    return shifted_games


def test_no_place_is_both_learnt_and_judged(games):
    even, other = (set(games.PLACES[name]) for name in ("even", "other"))
    assert (len(even), len(other)) == (16, 33)
    assert not even & other
    assert even | other == {(y, x) for y in range(2, 9) for x in range(2, 9)}


@pytest.mark.parametrize("name", ["breakout", "space_invaders"])
@pytest.mark.parametrize("places", ["even", "other"])
def test_it_is_the_game_of_minatar_at_one_of_the_places(games, name, places):
    check_env(games.Shifted(name, places), skip_render_check=True)
    env, plain = games.Shifted(name, places), MinAtarVecEnv(name, 1)
    plain.seed(7)
    screen, image = env.reset(seed=7)[0], plain.reset()[0]
    random, seen, games_played = np.random.default_rng(0), set(), 0
    while games_played < 20:
        y, x = env.place
        seen.add((y, x))
        assert np.array_equal(screen[:, y : y + 10, x : x + 10], image)
        assert screen.sum() == image.sum()  # the rest is blank
        action = int(random.integers(env.action_space.n))
        screen, reward, over, _, _ = env.step(action)
        (image,), (worth,), (ended,), (info,) = plain.step(np.array([action]))
        assert (reward, over) == (worth, ended)
        if over:
            games_played += 1
            y, x = env.place
            assert np.array_equal(screen[:, y : y + 10, x : x + 10], info["terminal_observation"])
            image, screen = plain.reset()[0], env.reset()[0]
    assert len(seen) > 8
    assert seen <= set(games.PLACES[places])


def test_a_mean_over_places_is_the_same_wherever_the_screen_is(games):
    env, layer = games.Shifted(), torch.nn.Conv2d(4, 16, 3)
    image = env.game.reset()[0]
    means = []
    for env.place in [(2, 2), (3, 8), (6, 5)]:
        screen = torch.tensor(env._screen(image)[None] / 255, dtype=torch.float32)
        means.append(layer(screen).relu().mean(dim=(2, 3)))
    assert torch.allclose(means[0], means[1])
    assert torch.allclose(means[0], means[2])


def test_its_experiment_has_minatars_preset():
    config = load_experiment(str(EXAMPLE / "experiment.yaml"))
    assert preset("ppo", config.overrides["ppo"], "gymnasium") == preset("ppo", None, "minatar")
    for game in config.environments.values():
        assert game.judged.kwargs == {**game.kwargs, "places": "other"}
