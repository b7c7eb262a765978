"""What to be wary of: the scale, where scores come from, pairs that were chosen afterwards."""

from __future__ import annotations

import pytest
from folders import experiment, finish
from synthetic import SMALL, make_experiment, report

from coordconv_rl.comparison.report import write_report
from coordconv_rl.configs.schema import Evaluation
from coordconv_rl.errors import InputError

MINATAR = ("minatar/breakout", "minatar/freeway")


def test_games_without_human_scores_are_on_a_scale_that_is_named(tmp_path):
    finish(tmp_path, experiment(algos=("ppo",), games=MINATAR, seeds=(1, 2, 3)))
    page = report(tmp_path)
    assert "The games have no human scores: aggregates of all games are on a min-max scale" in page
    assert "Min-max: (score - lowest) / (highest - lowest)" in page
    without = page.replace("They are not human-normalised", "")
    assert "uman-normalised" not in without
    text = (tmp_path / "report" / "report.md").read_text()
    assert "uman-normalised" not in text.replace("They are not human-normalised", "")


def test_a_mixed_comparison_says_what_it_does(tmp_path):
    games = ("Pong", "minatar/breakout")
    finish(tmp_path, experiment(algos=("ppo",), games=games, seeds=(1, 2, 3)))
    assert "minatar/breakout has no human scores, the other games have: aggregates of all" in (
        report(tmp_path)
    )


def test_pairs_that_were_chosen_for_the_report_are_called_so(tmp_path):
    make_experiment(tmp_path, **SMALL)
    page = write_report(tmp_path, "shuffled").read_text()
    assert "cnn agent beats a shuffled agent" in page
    assert "chosen for this report (--baseline), not before the runs" in page
    assert "the experiment compares coordconv against cnn, coordconv against shuffled." in page
    with pytest.raises(InputError, match="unknown baseline 'cnnn': did you mean cnn"):
        write_report(tmp_path, "cnnn")


def test_without_an_evaluation_it_says_where_scores_come_from(tmp_path):
    make_experiment(tmp_path, evaluation=Evaluation(episodes=0), **SMALL)
    assert "Scores are means of the last 100 training games" in report(tmp_path)
