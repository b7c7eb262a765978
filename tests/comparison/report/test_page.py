"""The page: what a reviewer asks for, also of experiments with holes."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from synthetic import make_experiment, report, rows, score_of

from coordconv_rl.comparison.report.as_csv import CSV_FILES
from coordconv_rl.comparison.results import read_results
from coordconv_rl.comparison.statistics.analysis import analyse


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
    found = read_results(tmp_path)
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


GAMES = ("Breakout", "Pong", "Seaquest")


FIGURES = {"iqm_ppo", "profile_ppo", "efficiency_ppo", "improvement_ppo"}


def test_page_holds_all_that_a_reviewer_asks_for(html):
    for wanted in (
        "coordconv agent beats a cnn agent with probability 1.00 (95% interval 1.00 to 1.00; p ",
        "the geometry helps, and not only the additional parameters",
        "45 of 45 runs done", "5 of 5", "1,690,789", "903", "0123abc", "2.13.0", "A processor",
        "coordconv-rl compare ", "100,000 environment steps", "v4: no sticky actions",
        "5 games a run",
        "21.5%", "12.5", "398.03", "Welch", "so many seeds an arm show it with 80% probability",
    ):  # fmt: skip
        assert wanted in html
    assert 'class="banner"' not in html


def test_page_needs_no_other_file_and_no_network(html):
    outside = re.findall(r'(?:\bsrc="|href="|url\()([^"\s)>]+)', html)
    assert {link for link in outside if not link.startswith("#")} == set(CSV_FILES) | {
        f"{name}.{kind}"
        for name in (
            *FIGURES,
            "inspection_ppo_Breakout",
            *(f"learning_curves_ppo_{g}" for g in GAMES),
        )
        for kind in ("png", "svg")
    }


def test_page_is_well_formed(html):
    class Checker(HTMLParser):
        open, void = [], {"meta", "link", "br", "path", "use", "rect", "circle", "line"}

        def handle_starttag(self, tag, attrs):
            if tag not in self.void:
                self.open.append(tag)

        def handle_startendtag(self, tag, attrs):
            pass

        def handle_endtag(self, tag):
            if tag not in self.void:
                assert self.open.pop() == tag

    checker = Checker()
    checker.feed(html)
    assert checker.open == []
