"""What to be wary of: the scale, where scores come from, pairs that were chosen afterwards."""

from __future__ import annotations

from dataclasses import replace

import pytest
from folders import experiment, finish
from synthetic import SMALL, make_experiment, report

from coordconv_rl.comparison import plan
from coordconv_rl.comparison.launch.growth import make_request
from coordconv_rl.comparison.launch.ledger import Ledger
from coordconv_rl.comparison.report import write_report
from coordconv_rl.comparison.report.cautions import banners
from coordconv_rl.comparison.results import read_results
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


def test_what_is_left_out_is_named_and_nothing_else(tmp_path):
    wanted = experiment(algos=("ppo",), games=("minatar/breakout",), seeds=(3, 5))
    finish(tmp_path, wanted)
    runs = [run.run_id for run in plan.expand(wanted)]
    with Ledger(tmp_path, runs) as held:
        held.take_up(runs, (make_request(wanted),))
    plan.write_experiment(tmp_path, replace(wanted, seeds=(3,)))
    (line,) = banners(read_results(tmp_path))
    assert line.endswith("does not ask for now (seed 5).")
    assert line.startswith("Left out: 2 runs")


def test_runs_that_were_not_computed_alike_are_counted(tmp_path):
    make_experiment(tmp_path, **SMALL)
    said = "Runs were not computed alike"
    assert said not in report(tmp_path)
    path = next(tmp_path.rglob("run.json"))
    path.write_text(path.read_text().replace("bfloat16", "float32"))
    done = len(list(tmp_path.rglob("run.json")))
    assert f"{said}: {done - 1} in bfloat16 and 1 in float32." in report(tmp_path)
