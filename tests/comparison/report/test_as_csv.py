"""The numbers as CSV, against the runs' own scores."""

from __future__ import annotations

import numpy as np
import pytest
from folders import experiment, finish
from synthetic import report, rows, score_of

from coordconv_rl.comparison.statistics import bootstrap, estimators
from coordconv_rl.envs.games import human_normalised

GAMES = ("Breakout", "Pong", "Seaquest")


def test_aggregates_are_those_of_the_runs_own_scores(finished):
    scores = np.array(
        [
            [
                human_normalised(game, score_of(("ppo", game, "coordconv", seed), 0.5))
                for game in GAMES
            ]
            for seed in range(1, 6)
        ]
    )
    found = {r["statistic"]: r for r in rows(finished, "aggregates.csv") if r["arm"] == "coordconv"}
    assert float(found["iqm"]["value"]) == pytest.approx(float(estimators.iqm(scores)))
    assert float(found["mean"]["value"]) == pytest.approx(scores.mean())
    expected = bootstrap.estimate(estimators.iqm, scores, rng=np.random.default_rng(0))
    assert float(found["iqm"]["low"]) == pytest.approx(float(expected.low))
    assert float(found["iqm"]["high"]) == pytest.approx(float(expected.high))


def test_pairs_by_game_are_paired_by_seed(finished):
    found = [r for r in rows(finished, "pairs_by_game.csv") if r["game"] == "Pong"]
    pair = next(r for r in found if (r["arm"], r["against"]) == ("coordconv", "cnn"))
    differences = [
        score_of(("ppo", "Pong", "coordconv", seed), 0.5)
        - score_of(("ppo", "Pong", "cnn", seed), 0.5)
        for seed in range(1, 6)
    ]
    assert float(pair["paired_difference"]) == pytest.approx(np.mean(differences))
    assert float(pair["probability_of_improvement"]) == 1


def test_every_run_is_in_the_table_of_runs(finished):
    runs = rows(finished, "runs.csv")
    assert len(runs) == 45
    first = next(r for r in runs if (r["game"], r["arm"], r["seed"]) == ("Pong", "cnn", "2"))
    score = score_of(("ppo", "Pong", "cnn", 2), 0.5)
    assert float(first["score"]) == pytest.approx(score)
    assert float(first["human_normalised"]) == pytest.approx(human_normalised("Pong", score))
    assert (first["status"], first["score_source"]) == ("done", "evaluation")


def test_learning_curves_are_there_by_run_and_by_arm(finished):
    by_run = rows(finished, "learning_curves_by_run.csv")
    at_end = [r for r in by_run if (r["game"], r["arm"], r["step"]) == ("Pong", "cnn", "100000")]
    assert [r["seed"] for r in at_end] == ["1", "2", "3", "4", "5"]
    scores = [float(r["score"]) for r in at_end]
    by_arm = rows(finished, "learning_curves.csv")
    (end,) = (r for r in by_arm if (r["game"], r["arm"], r["step"]) == ("Pong", "cnn", "100000"))
    assert end["seeds"] == "5"
    assert float(end["mean"]) == pytest.approx(np.mean(scores))
    assert (float(end["low"]), float(end["high"])) == (min(scores), max(scores))


def test_games_without_human_scores_have_columns_of_their_own_scale(tmp_path):
    finish(tmp_path, experiment(algos=("ppo",), games=("minatar/breakout",), seeds=(1, 2, 5)))
    report(tmp_path)
    runs = [r for r in rows(tmp_path, "runs.csv") if r["arm"] == "cnn"]
    assert [(r["score"], r["min_max"], r["human_normalised"]) for r in runs] == [
        ("1", "0", ""), ("2", "0.25", ""), ("5", "1", ""),
    ]  # fmt: skip
    aggregates = rows(tmp_path, "aggregates.csv")
    assert {(r["scale"], r["statistic"]) for r in aggregates} == {
        ("min-max", "iqm"), ("min-max", "median"), ("min-max", "mean"),
    }  # fmt: skip
    assert {(r["scale"], r["statistic"]) for r in rows(tmp_path, "pairs.csv")} == {
        ("rank", "probability_of_improvement"), ("rank", "probability_of_improvement_area"),
        ("min-max", "iqm_difference"), ("min-max", "mean_difference"),
    }  # fmt: skip
    (verdict,) = rows(tmp_path, "verdicts.csv")
    assert (verdict["p"], verdict["p_holm"], verdict["finding"]) == (
        "1",
        "1",
        "no difference shown",
    )
