"""The two games of the instrument's check: what tells, and what cannot."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import check_env

from coordconv_rl import CoordConv2d
from coordconv_rl.configs import load_experiment

EXAMPLE = Path(__file__).parents[2] / "examples" / "place"
if not EXAMPLE.is_dir():
    pytest.skip("not a checkout", allow_module_level=True)


@pytest.fixture(params=["WhichHalf", "WhichWay"])
def game(request, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(EXAMPLE), *sys.path])
    import place_games

    return getattr(place_games, request.param)()


def glances(game, count=200):
    images, answers = [game.reset(seed=3)[0]], [game.answer]
    for _ in range(count):
        images.append(game.step(0)[0])
        answers.append(game.answer)
        game.glances = 0
    return torch.tensor(np.array(images)).permute(0, 3, 1, 2) / 255, np.array(answers)


def test_right_answers_score_sixteen(game):
    check_env(game, skip_render_check=True)
    game.reset(seed=1)
    score, over = 0.0, False
    while not over:
        _, reward, over, _, _ = game.step(game.answer)
        score += reward
    assert score == 16


def test_a_mean_over_places_tells_shapes_and_no_halves_but_with_coordinates(game):
    images, answers = glances(game)
    torch.manual_seed(0)
    plain, coordinates = torch.nn.Conv2d(1, 16, 3), CoordConv2d(1, 16, 3)
    seen = {}
    for name, layer in {"plain": plain, "coordinates": coordinates}.items():
        means = layer(images).relu().mean(dim=(2, 3)).detach()
        right, left = (means[torch.tensor(answers == answer)].mean(dim=0) for answer in (1, 0))
        seen[name] = float((right - left).abs().max())
    if type(game).__name__ == "WhichHalf":
        assert seen["plain"] < 1e-6
        assert seen["coordinates"] > 1e-3
    else:
        assert min(seen.values()) > 1e-3


def test_its_experiment_stands_beside_it():
    config = load_experiment(str(EXAMPLE / "experiment.yaml"))
    assert set(config.games) == set(config.environments) == {"which-half", "which-way"}
