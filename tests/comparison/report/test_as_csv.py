"""The numbers as CSV, against the runs' own scores."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic import rows, score_of

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
