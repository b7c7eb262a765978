"""An experiment's results as estimates."""

from __future__ import annotations

from synthetic import make_experiment

from coordconv_rl.comparison.report import verdict
from coordconv_rl.comparison.results import read_results
from coordconv_rl.comparison.statistics.analysis import analyse


def test_a_game_that_one_arm_lacks_is_left_out_of_the_aggregates_and_named(tmp_path):
    games = ("Pong", "Breakout")
    make_experiment(
        tmp_path, lambda key: "failed" if key[1:3] == ("Pong", "cnn") else "done", games=games
    )
    found = read_results(tmp_path)
    analysis = analyse(found, "ppo")
    assert analysis.shared == ("Breakout",)
    assert any("Left out of the aggregates: Pong" in x for x in verdict.cautions(found, analysis))
