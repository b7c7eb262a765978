"""An experiment's results as estimates."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic import make_experiment

from coordconv_rl.comparison.report import limits
from coordconv_rl.comparison.results import read_results
from coordconv_rl.comparison.statistics.analysis import analyse, profile_thresholds


def test_a_game_that_one_arm_lacks_is_left_out_of_the_aggregates_and_named(tmp_path):
    games = ("Pong", "Breakout")
    make_experiment(
        tmp_path, lambda key: "failed" if key[1:3] == ("Pong", "cnn") else "done", games=games
    )
    found = read_results(tmp_path)
    analysis = analyse(found, "ppo")
    assert analysis.shared == ("Breakout",)
    assert any("Left out of the aggregates: Pong" in x for x in limits(found, analysis))


def test_the_profiles_axis_follows_the_scores():
    found = profile_thresholds(np.array([-0.5, 0.2, 1.5, np.nan]))
    assert (found[0], found[-1], len(found)) == (-0.5, 1.5, 81)
    assert tuple(profile_thresholds(np.array([0.1, 0.3]))[[0, -1]]) == (0.0, 1.0)
    few_giants = np.array([*np.linspace(0, 2, 99), 60.0])
    assert profile_thresholds(few_giants)[-1] == pytest.approx(2 * np.quantile(few_giants, 0.9))
