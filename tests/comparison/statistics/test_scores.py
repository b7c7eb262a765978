"""Scores and curves as arrays: where each seed and game stands, and what is missing."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic import make_experiment, score_of

from coordconv_rl.comparison.results import read_results, step_grid
from coordconv_rl.comparison.statistics.scores import (
    collect_curves,
    collect_scores,
    normalise_scores,
)
from coordconv_rl.envs import human_normalised

GAMES = ("Pong", "Breakout")


def test_rows_are_seeds_and_columns_games_with_holes_left_open(tmp_path):
    holes = {("Breakout", "cnn", 2): "failed"}
    make_experiment(tmp_path, lambda key: holes.get(key[1:], "done"), games=GAMES, seeds=(1, 2, 3))
    found = collect_scores(read_results(tmp_path), "ppo")
    assert (found["cnn"].done, found["cnn"].planned) == (5, 6)
    assert found["cnn"].raw.shape == (3, 2)
    assert np.argwhere(np.isnan(found["cnn"].raw)).tolist() == [[1, 1]]
    score = score_of(("ppo", "Breakout", "cnn", 3), 0.5)
    assert found["cnn"].raw[2, 1] == pytest.approx(score)
    assert found["cnn"].normalised[2, 1] == pytest.approx(human_normalised("Breakout", score))


def test_curves_are_of_finished_runs_only(tmp_path):
    make_experiment(
        tmp_path, lambda key: "running" if key[3] == 2 else "done", games=GAMES, seeds=(1, 2)
    )
    found = read_results(tmp_path)
    curves = collect_curves(found, "ppo", "cnn", GAMES, step_grid(found.experiment, 10))
    assert curves.shape == (10, 2, 2)
    assert np.isfinite(curves[:, 0]).all()
    assert np.isnan(curves[:, 1]).all()


def test_normalising_keeps_the_shape_and_leaves_games_without_references_open(monkeypatch):
    raw = np.array([[-20.7, 1.7], [14.6, 30.5]])  # random, then human, of each game
    np.testing.assert_allclose(normalise_scores(raw, GAMES), [[0, 0], [1, 1]])
    assert normalise_scores(raw[None], GAMES).shape == (1, 2, 2)
    name = "coordconv_rl.comparison.statistics.scores.human_normalised"
    monkeypatch.setattr(name, lambda game, score: None)
    assert np.isnan(normalise_scores(raw, GAMES)).all()
