"""Scores by game and their aggregates: n of N, what is marked, what is left out."""

from __future__ import annotations

import numpy as np
import pytest
from folders import experiment, finish, write_run
from synthetic import SMALL, make_experiment, report, rows

from coordconv_rl.comparison import plan
from coordconv_rl.comparison.launch import ledger
from coordconv_rl.comparison.report.as_csv import scores_csv
from coordconv_rl.comparison.report.score_tables import (
    GameScore,
    aggregates_table,
    game_scores,
    game_scores_table,
    pairs_table,
)
from coordconv_rl.comparison.results import final_scores, read_results
from coordconv_rl.comparison.statistics import analyse
from coordconv_rl.configs import make_run_id

HUMAN = (4 + 20.7) / (14.6 + 20.7)  # of the mean of 3 and 5


def test_score_tables_say_n_of_n_and_mark_tiny_ranges(tmp_path):
    finish(tmp_path, experiment(algos=("ppo",)))
    for name in ("run.json", "evaluation.json", "episodes.csv"):
        (tmp_path / "ppo/Pong/coordconv/seed-5" / name).unlink()
    keys = plan.run_keys(experiment(algos=("ppo",)))
    with ledger.Ledger(tmp_path, [make_run_id(*key) for key in keys]) as held:
        held.update("ppo/Pong/coordconv/seed-5", status="failed", reason="it broke")
    found = read_results(tmp_path)
    analysis = analyse(found, "ppo")
    pong = game_scores(analysis.games, analysis.scores)["Pong"]
    assert pong["cnn"] == GameScore(
        4.0, pytest.approx(2**0.5), 2, 2, pytest.approx(HUMAN), pytest.approx(HUMAN)
    )
    assert pong["coordconv"] == GameScore(3.0, None, 1, 2, *[pytest.approx(23.7 / 35.3)] * 2)
    cells = game_scores_table(analysis).rows[0]
    assert (cells[1].text, cells[1].detail) == ("4 \u00b1 1.41", f"{HUMAN:.3f}, n = 2 of 2")
    assert (cells[2].text, cells[2].detail) == ("3", "0.671, n = 1 of 2")
    assert [row[0].text for row in game_scores_table(analysis).rows] == [
        "Pong",
        "DoubleDunk \u2020",
    ]
    table = aggregates_table(analysis)
    cnn = dict(zip(table.columns, table.rows[0], strict=True))
    assert cnn["Runs"].text == "4 of 4"
    assert cnn["IQM without \u2020"].value == pytest.approx(HUMAN)
    assert "ppo,Pong,coordconv,3.0,,1,2," in scores_csv(found, [analysis])


def test_aggregates_leave_out_games_that_an_arm_lacks(tmp_path):
    plan.write_experiment(tmp_path, experiment(algos=("ppo",)))
    write_run(tmp_path, "ppo/Pong/cnn/seed-3", score=1.0)
    analysis = analyse(read_results(tmp_path), "ppo")
    assert analysis.arms == {}
    assert [cell.text for cell in aggregates_table(analysis).rows[0]][2:] == ["\u2013"] * 4
    assert game_scores_table(analysis).rows[0][1].detail == "n = 0 of 2"


def test_an_arm_that_failed_altogether_is_shown_and_not_compared(tmp_path):
    make_experiment(tmp_path, lambda key: "failed" if key[2] == "shuffled" else "done", **SMALL)
    html = report(tmp_path)
    assert "0 of 3" in html
    assert {(r["arm"], r["against"]) for r in rows(tmp_path, "pairs.csv")} == {("coordconv", "cnn")}
    assert {r["arm"] for r in rows(tmp_path, "aggregates.csv")} == {"cnn", "coordconv"}
    assert "coordconv against shuffled: no verdict yet, for want of finished runs" in html


def test_games_with_a_tiny_range_are_marked(tmp_path):
    make_experiment(tmp_path, games=("DoubleDunk", "Pong"), seeds=(1, 2, 3), equivalence=0.05)
    html = report(tmp_path)
    assert "differences are human-normalised, without †" in html
    assert "the difference of human-normalised IQMs without DoubleDunk is" in html
    assert "The means without DoubleDunk differ by" in html
    assert "Differences between arms and falls of scores leave them out" in html
    counted = {row["statistic"]: row["games"] for row in rows(tmp_path, "pairs.csv")}
    assert (counted["probability_of_improvement"], counted["mean_difference"]) == ("2", "1")
    (mean,) = (
        float(row["value"])
        for row in rows(tmp_path, "pairs.csv")
        if (row["against"], row["statistic"]) == ("cnn", "mean_difference")
    )
    scores = {
        arm: np.mean([own["Pong"][seed] for seed in (1, 2, 3)])
        for arm, own in final_scores(read_results(tmp_path), "ppo").items()
    }
    gap = scores["coordconv"] - scores["cnn"]
    assert mean == pytest.approx(gap / (14.6 - -20.7))  # human and random play, Pong
    assert "DoubleDunk †" in html
    assert "IQM without †" in html
    assert "† DoubleDunk: human and random play score nearly the same" in html


def test_a_terminal_shows_fewer_columns_of_the_same_pairs(tmp_path):
    make_experiment(tmp_path, **SMALL)
    analysis = analyse(read_results(tmp_path), "ppo")
    whole, brief = pairs_table(analysis), pairs_table(analysis, brief=True)
    assert len(whole.columns) == 11
    assert brief.columns == (
        "Arms", "Finding", "Probability of improvement", "p (Holm)", "IQM difference",
    )  # fmt: skip
    assert [row[0] for row in whole.rows] == [row[0] for row in brief.rows]
    assert (brief.rows[0][0].text, brief.rows[0][0].detail) == ("coordconv", "against cnn")
