"""Scores and curves as arrays: where each seed and game stands, and what is missing."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic import make_experiment, score_of

from coordconv_rl.comparison.learning_curves import step_grid
from coordconv_rl.comparison.results import read_results
from coordconv_rl.comparison.statistics.scores import areas, collect_curves, collect_scores
from coordconv_rl.envs import human_normalised

GAMES = ("Pong", "Breakout")
NAN = float("nan")


def test_rows_are_seeds_and_columns_games_with_holes_left_open(tmp_path):
    holes = {("Breakout", "cnn", 2): "failed"}
    make_experiment(tmp_path, lambda key: holes.get(key[1:], "done"), games=GAMES, seeds=(1, 2, 3))
    found, scale = collect_scores(read_results(tmp_path), "ppo")
    assert scale.name == "human-normalised"
    assert (found["cnn"].done, found["cnn"].planned) == (5, 6)
    assert found["cnn"].raw.shape == (3, 2)
    assert np.argwhere(np.isnan(found["cnn"].raw)).tolist() == [[1, 1]]
    score = score_of(("ppo", "Breakout", "cnn", 3), 0.5)
    assert found["cnn"].raw[2, 1] == pytest.approx(score)
    assert found["cnn"].human[2, 1] == pytest.approx(human_normalised("Breakout", score))
    np.testing.assert_array_equal(found["cnn"].human, found["cnn"].scaled)


def test_curves_are_of_finished_runs_only(tmp_path):
    make_experiment(
        tmp_path, lambda key: "running" if key[3] == 2 else "done", games=GAMES, seeds=(1, 2)
    )
    found = read_results(tmp_path)
    curves = collect_curves(found, "ppo", "cnn", step_grid(found.experiment, 10))
    assert curves.shape == (10, 2, 2)
    assert np.isfinite(curves[:, 0]).all()
    assert np.isnan(curves[:, 1]).all()


def test_the_area_is_the_curves_mean_height():
    grid = np.array([10, 20, 30, 40])
    lines = np.array([[1, 2, 3, 6], [NAN, 2, NAN, 6], [NAN, NAN, 5, NAN], [NAN] * 4]).T
    np.testing.assert_allclose(
        areas(lines[:, :, None], grid)[:, 0], [3, (2 + 2 + 4 + 6) / 4, 5, NAN]
    )
