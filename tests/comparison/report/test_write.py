"""The report: right numbers, nothing hidden, nothing executed, on broken folders too."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from synthetic import make_experiment, report, rows, score_of, write_inspection

from coordconv_rl.comparison.report import verdict
from coordconv_rl.comparison.report.write import write_report
from coordconv_rl.comparison.statistics import bootstrap
from coordconv_rl.comparison.statistics import estimators as statistics
from coordconv_rl.comparison.statistics.analysis import Comparison
from coordconv_rl.comparison.statistics.bootstrap import Estimate
from coordconv_rl.envs.games import human_normalised

GAMES = ("Breakout", "Pong", "Seaquest")
FILES = {"index.html", "report.md", "runs.csv", "aggregates.csv", "pairs.csv", "pairs_by_game.csv"}
FIGURES = {"iqm_ppo", "profile_ppo", "efficiency_ppo", "improvement_ppo"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    make_experiment(folder)
    for seed in (1, 2):
        write_inspection(folder, ("ppo", "Breakout", "coordconv", seed))
    write_report(folder)
    return folder


@pytest.fixture(scope="module")
def html(finished):
    return (finished / "report" / "index.html").read_text(encoding="utf-8")


def test_writes_page_markdown_tables_and_every_figure_twice(finished):
    found = {path.name for path in (finished / "report").iterdir()}
    figures = FIGURES | {f"learning_curves_ppo_{game}" for game in GAMES}
    figures |= {"inspection_ppo_Breakout"}
    assert found == FILES | {f"{name}.{kind}" for name in figures for kind in ("png", "svg")}
    for name in figures:
        assert (finished / "report" / f"{name}.png").read_bytes().startswith(b"\x89PNG")


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
    assert float(found["iqm"]["value"]) == pytest.approx(float(statistics.iqm(scores)))
    assert float(found["mean"]["value"]) == pytest.approx(scores.mean())
    expected = bootstrap.estimate(statistics.iqm, scores, rng=np.random.default_rng(0))
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


def test_page_holds_all_that_a_reviewer_asks_for(html):
    for wanted in (
        "coordconv agent beats a cnn agent with probability 1.00 (95% interval 1.00 to 1.00)",
        "the geometry helps, and not only the additional parameters",
        "45 of 45 runs done", "5 of 5", "1,690,789", "903", "0123abc", "2.13.0", "A processor",
        "coordconv-rl compare ", "100,000 environment steps", "v4: no sticky actions",
        "5 games a run",
        "21.5%", "12.5", "398.03", "Welch", "seeds an arm show it with 80% probability",
    ):  # fmt: skip
        assert wanted in html
    assert 'class="banner"' not in html


def test_page_needs_no_other_file_and_no_network(html):
    outside = re.findall(r'(?:\bsrc="|href="|url\()([^"\s)>]+)', html)
    assert {link for link in outside if not link.startswith("#")} == {
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


def test_markdown_says_the_same_as_the_page(finished):
    text = (finished / "report" / "report.md").read_text(encoding="utf-8")
    assert "A comparison with \\<made-up\\> scores & none of them real" in text
    assert "| PPO | Breakout | 5 of 5 | 5 of 5 | 5 of 5 |" in text
    for name in re.findall(r"\]\(([^)]+)\)", text):
        assert (finished / "report" / name).is_file()


def test_the_same_folder_gives_the_same_report(finished, html):
    def undated(text):
        return re.sub(r"Written [^.]*\.", "", text)

    assert undated(report(finished)) == undated(html)


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
