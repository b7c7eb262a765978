"""What the report says in sentences: the answer follows the intervals."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic import SMALL, make_experiment, report, rows

from coordconv_rl.comparison.report import verdict
from coordconv_rl.comparison.statistics.analysis import Comparison
from coordconv_rl.comparison.statistics.bootstrap import Estimate
from coordconv_rl.comparison.statistics.scores import normalise_scores


def test_two_seeds_give_numbers_and_no_interval(tmp_path):
    make_experiment(tmp_path, seeds=(1, 2), games=("Pong",))
    html = report(tmp_path)
    assert "Too few seeds for a verdict: at least 3 are needed" in html
    assert "no interval: under 3 seeds" in html
    assert {row["low"] for row in rows(tmp_path, "pairs.csv")} == {""}


def test_an_experiment_without_the_baseline_has_no_verdict(tmp_path):
    make_experiment(tmp_path, arms=("coordconv", "shuffled"), **SMALL)
    assert "no verdict, as the experiment has no arm cnn." in report(tmp_path)
    assert [(r["arm"], r["against"]) for r in rows(tmp_path, "pairs.csv")] == [
        ("coordconv", "shuffled")
    ] * 2


def test_games_without_reference_scores_are_compared_by_rank_only(tmp_path, monkeypatch):
    make_experiment(tmp_path, **SMALL)
    monkeypatch.setattr(
        "coordconv_rl.comparison.statistics.scores.human_normalised", lambda *_: None
    )
    html = report(tmp_path)
    assert "with probability 1.00 (95% interval" in html
    assert "Left out of the aggregates: Pong" in html
    assert np.isnan(normalise_scores(np.array([1.0]), ("Pong",))).all()


def test_without_an_evaluation_it_says_where_scores_come_from(tmp_path):
    from coordconv_rl.configs.schema import Evaluation

    make_experiment(tmp_path, evaluation=Evaluation(episodes=0), **SMALL)
    assert "Scores are means of the last 100 training games" in report(tmp_path)


@pytest.mark.parametrize(
    ("low", "high", "side", "words"),
    [
        (0.55, 0.8, 1, "did better than cnn here"),
        (0.1, 0.45, -1, "did worse than cnn here"),
        (0.4, 0.7, 0, "no difference is shown"),
        (0.5, 0.7, 0, "no difference is shown"),
    ],
)
def test_the_verdict_follows_the_interval(low, high, side, words):
    middle = Estimate(*(np.array(value) for value in ((low + high) / 2, low, high)))
    pair = Comparison(
        "coordconv", "cnn", ("Pong",), 5, middle, np.array([0.6]), None, (), np.array([]), None
    )
    assert verdict.direction(pair) == side
    assert words in verdict._side(pair)
