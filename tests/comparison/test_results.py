"""Reports of folders with holes, without evaluations, with nonsense, and of none."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic import SMALL, make_experiment, report, rows, score_of, write_inspection

from coordconv_rl.comparison.report import verdict
from coordconv_rl.comparison.report.as_markdown import escape
from coordconv_rl.comparison.report.write import write_report
from coordconv_rl.comparison.results import load_experiment
from coordconv_rl.comparison.statistics.analysis import analyse, normalise
from coordconv_rl.errors import InputError


def test_holes_are_counted_shown_and_not_filled(tmp_path):
    holes = {
        ("Pong", "cnn", 2): "failed",
        ("Pong", "cnn", 3): "lost",
        ("Seaquest", "cnn", 1): "waiting",
    }
    make_experiment(tmp_path, lambda key: holes.get(key[1:], "done"))
    html = report(tmp_path)
    assert "Incomplete: 42 of 45 runs are done (1 waiting, 1 failed, 1 lost)" in html
    assert "3 of 5" in html
    assert "Python stopped: &lt;killed&gt; by signal 9" in html
    assert "ppo/Pong/cnn/seed-3" in html
    found = load_experiment(tmp_path)
    scores = analyse(found, "ppo").scores["cnn"]
    assert (scores.done, scores.planned) == (12, 15)
    assert np.isnan(scores.raw).sum() == 3
    by_game = {
        r["game"]: r for r in rows(tmp_path, "pairs_by_game.csv")
        if (r["arm"], r["against"]) == ("coordconv", "cnn")
    }  # fmt: skip
    pairs = [
        score_of(("ppo", "Pong", "coordconv", seed), 0.5)
        - score_of(("ppo", "Pong", "cnn", seed), 0.5)
        for seed in (1, 4, 5)
    ]
    assert float(by_game["Pong"]["paired_difference"]) == pytest.approx(np.mean(pairs))


def test_a_running_experiment_has_a_report_without_final_scores(tmp_path):
    make_experiment(tmp_path, lambda key: "running" if key[3] == 1 else "waiting")
    html = report(tmp_path)
    assert "no verdict yet" in html
    assert "0 of 45 runs are done (9 running, 36 waiting)" in html
    assert (tmp_path / "report" / "learning_curves_ppo_Pong.svg").is_file()
    assert not (tmp_path / "report" / "iqm_ppo.svg").exists()
    assert rows(tmp_path, "aggregates.csv") == []


def test_two_seeds_give_numbers_and_no_interval(tmp_path):
    make_experiment(tmp_path, seeds=(1, 2), games=("Pong",))
    html = report(tmp_path)
    assert "Too few seeds for a verdict: at least 3 are needed" in html
    assert "no interval: under 3 seeds" in html
    assert {row["low"] for row in rows(tmp_path, "pairs.csv")} == {""}


def test_an_arm_that_failed_altogether_is_shown_and_not_compared(tmp_path):
    make_experiment(tmp_path, lambda key: "failed" if key[2] == "shuffled" else "done", **SMALL)
    html = report(tmp_path)
    assert "0 of 3" in html
    assert {(r["arm"], r["against"]) for r in rows(tmp_path, "pairs.csv")} == {("coordconv", "cnn")}
    assert {r["arm"] for r in rows(tmp_path, "aggregates.csv")} == {"cnn", "coordconv"}
    assert "Against shuffled" not in html


def test_a_game_that_one_arm_lacks_is_left_out_of_the_aggregates_and_named(tmp_path):
    games = ("Pong", "Breakout")
    make_experiment(
        tmp_path, lambda key: "failed" if key[1:3] == ("Pong", "cnn") else "done", games=games
    )
    found = load_experiment(tmp_path)
    analysis = analyse(found, "ppo")
    assert analysis.shared == ("Breakout",)
    assert any("Left out of the aggregates: Pong" in x for x in verdict.warnings(found, analysis))


def test_an_experiment_without_the_baseline_has_no_verdict(tmp_path):
    make_experiment(tmp_path, arms=("coordconv", "shuffled"), **SMALL)
    assert "no verdict, as the experiment has no arm cnn." in report(tmp_path)
    assert [(r["arm"], r["against"]) for r in rows(tmp_path, "pairs.csv")] == [
        ("coordconv", "shuffled")
    ] * 2


def test_games_with_a_tiny_range_are_marked(tmp_path):
    make_experiment(tmp_path, games=("DoubleDunk", "Pong"), seeds=(1, 2, 3))
    html = report(tmp_path)
    assert "DoubleDunk †" in html
    assert "IQM without †" in html
    assert "† DoubleDunk: human and random play score nearly the same" in html


def test_games_without_reference_scores_are_compared_by_rank_only(tmp_path, monkeypatch):
    make_experiment(tmp_path, **SMALL)
    monkeypatch.setattr("coordconv_rl.comparison.statistics.analysis.reference_scores", dict)
    html = report(tmp_path)
    assert "with probability 1.00 (95% interval" in html
    assert "Left out of the aggregates: Pong" in html
    assert np.isnan(normalise(np.array([1.0]), ("Pong",))).all()


def test_without_an_evaluation_it_says_where_scores_come_from(tmp_path):
    from coordconv_rl.configs.schema import Evaluation

    make_experiment(tmp_path, evaluation=Evaluation(episodes=0), **SMALL)
    assert "Scores are means of the last 100 training games" in report(tmp_path)


@pytest.mark.filterwarnings("error")
def test_all_arms_with_seeds_of_every_length_fit_into_their_figures(tmp_path):
    arms = ("cnn", "coordconv", "coordconv-r", "coordconv-all", "coordconv-actor", "shuffled")
    make_experiment(
        tmp_path,
        lambda key: "running" if key[3] > 10 else "done",
        games=("Pong",),
        arms=arms,
        seeds=tuple(range(1, 13)),
    )
    assert "coordconv-actor (n = 12, thin: 10+)" in report(tmp_path)


def test_what_a_folder_says_is_text_and_never_markup(tmp_path):
    attack = "<script>alert(1)</script>"
    make_experiment(
        tmp_path, lambda key: "failed" if key[3] == 1 else "done", description=attack, **SMALL
    )
    ledger = tmp_path / "ledger.jsonl"
    ledger.write_text(ledger.read_text().replace("<killed>", "|<img src=x onerror=alert(2)>"))
    run = tmp_path / "ppo/Pong/cnn/seed-2/run.json"
    run.write_text(run.read_text().replace("host-a", attack).replace("2.13.0", attack))
    html = report(tmp_path)
    assert html.count("<script>") == 1
    assert "<img" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    text = (tmp_path / "report" / "report.md").read_text()
    assert "<script" not in text.replace("\\<", "")
    assert escape("a|b\n<c> `d` [e](f)") == r"a\|b \<c\> \`d\` \[e\](f)"


def test_a_record_with_nonsense_in_it_does_no_harm(tmp_path):
    make_experiment(tmp_path, **SMALL)
    run = tmp_path / "ppo/Pong/cnn/seed-2/run.json"
    text = run.read_text().replace('"parameters": 1686693', '"parameters": "many"')
    run.write_text(
        text.replace('"seconds": 400.0', '"seconds": null').replace('"machine"', '"other"')
    )
    html = report(tmp_path)
    assert "unknown (1 run)" in html
    assert "1,686,693" in html


def test_inspection_that_is_damaged_is_named(tmp_path):
    key = ("ppo", "Pong", "coordconv", 1)
    make_experiment(tmp_path, games=("Pong",))
    for changes, why in (
        ({"run": "ppo/Pong/cnn/seed-9"}, "about the run ppo/Pong/cnn/seed-9"),
        ({"scores": {"trained": {}}}, "mean"),
        ({"share": "much"}, "much"),
        ({"format": 2}, "newer"),
    ):
        write_inspection(tmp_path, key, **changes)
        with pytest.raises(InputError, match=why) as caught:
            write_report(tmp_path)
        assert "inspection.json" in str(caught.value)


def test_bad_folders_are_refused_in_one_line(tmp_path):
    with pytest.raises(InputError, match="holds no experiment"):
        write_report(tmp_path)
    with pytest.raises(InputError, match="holds no experiment"):
        write_report(tmp_path / "nowhere")
    empty, mixed, broken = tmp_path / "empty", tmp_path / "mixed", tmp_path / "broken"
    make_experiment(empty, lambda key: "waiting")
    with pytest.raises(InputError, match="no run has started"):
        write_report(empty)
    make_experiment(mixed)
    (mixed / "ppo/Pong/cnn/seed-1").rename(mixed / "ppo/Pong/cnn/seed-77")
    with pytest.raises(InputError, match="two experiments are mixed"):
        write_report(mixed)
    make_experiment(broken)
    (broken / "ppo/Pong/cnn/seed-1/episodes.csv").write_text("nonsense\n1\n")
    with pytest.raises(InputError, match=r"episodes\.csv is damaged"):
        write_report(broken)
    assert not any((folder / "report").exists() for folder in (empty, mixed, broken))


def test_the_command_line_reports_and_refuses(cli, tmp_path):
    make_experiment(tmp_path / "small", **SMALL)
    done = cli("report", "small")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "small/report/index.html"
    refused = cli("report", ".")
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: ")
    assert refused.stderr.count("\n") == 1
