"""What is 0 and what is 1: between random and human, or between the lowest and the highest run."""

from __future__ import annotations

import numpy as np
import pytest

from coordconv_rl.comparison.statistics.scale import choose_scale, human_scale, min_max_scale

NAN = float("nan")
RAW = {
    "cnn": np.array([[2.0, 5.0, NAN, 7.0], [4.0, NAN, NAN, 7.0]]),
    "coordconv": np.array([[10.0, 6.0, NAN, 7.0], [6.0, 5.5, NAN, 7.0]]),
}


def test_min_max_is_over_all_arms_and_leaves_open_what_has_no_range():
    scale = min_max_scale(RAW)
    np.testing.assert_array_equal(
        scale.apply(RAW["cnn"]), [[0, 0, NAN, NAN], [0.25, NAN, NAN, NAN]]
    )
    np.testing.assert_array_equal(
        scale.apply(RAW["coordconv"]), [[1, 1, NAN, NAN], [0.5, 0.5, NAN, NAN]]
    )
    assert scale.apply(np.full((3, 2, 4), 12.0))[0, 0, 0] == 1.25  # a curve may leave it


def test_the_human_scale_is_from_random_to_human_play():
    raw = np.array([[-20.7, 1.7], [14.6, 30.5]])  # random, then human, of each game
    np.testing.assert_allclose(human_scale(("Pong", "Breakout")).apply(raw), [[0, 0], [1, 1]])
    assert human_scale(("Pong", "Breakout")).apply(raw[None]).shape == (1, 2, 2)
    assert np.isnan(human_scale(("Tetris",)).apply(np.ones((2, 1)))).all()


@pytest.mark.parametrize(
    ("games", "name"),
    [
        (("Pong", "Breakout"), "human-normalised"),
        (("minatar/breakout", "minatar/freeway"), "min-max"),
        (("Pong", "minatar/freeway"), "min-max"),
    ],
)
def test_one_game_without_human_scores_puts_all_on_min_max(games, name):
    raw = {arm: own[:, :2] for arm, own in RAW.items()}
    assert choose_scale(games, raw).name == name
