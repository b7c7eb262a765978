"""The verdict in sentences: it follows the intervals and the corrected p-values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic import SMALL, make_experiment, report, rows

from coordconv_rl.comparison.report import verdict
from coordconv_rl.comparison.results import read_results
from coordconv_rl.comparison.statistics import Estimate, analyse


def some(low, high):
    return Estimate(*(np.array(value) for value in ((low + high) / 2, low, high)))


@pytest.fixture(scope="module")
def analysis(tmp_path_factory):
    folder = tmp_path_factory.mktemp("analysed")
    make_experiment(folder, **SMALL)
    return analyse(read_results(folder), "ppo")


def test_two_seeds_give_numbers_and_no_interval(tmp_path):
    make_experiment(tmp_path, seeds=(1, 2), games=("Pong",))
    html = report(tmp_path)
    assert "too few seeds for a verdict on coordconv against cnn" in html.lower()
    assert "At least 3 seeds an arm are needed." in html
    assert "no interval: under 3 seeds" in html
    assert {row["low"] for row in rows(tmp_path, "pairs.csv")} == {""}
    assert {(r["p"], r["finding"]) for r in rows(tmp_path, "verdicts.csv")} == {
        ("", "too few seeds")
    }


def test_an_experiment_with_one_arm_has_no_verdict(tmp_path):
    make_experiment(tmp_path, arms=("coordconv",), **SMALL)
    assert "no verdict, as the experiment has one arm only." in report(tmp_path)


def test_an_arm_without_a_baseline_is_compared_with_its_control(tmp_path):
    make_experiment(tmp_path, arms=("coordconv", "shuffled"), **SMALL)
    assert "a coordconv agent beats a shuffled agent" in report(tmp_path)
    assert {(r["arm"], r["against"]) for r in rows(tmp_path, "pairs.csv")} == {
        ("coordconv", "shuffled")
    }


@pytest.mark.parametrize(
    ("low", "high", "p", "side", "begins", "doubt", "finding"),
    [
        (0.55, 0.8, 0.01, 1, "coordconv did better than cnn here: a ", None, "better"),
        (0.55, 0.8, 0.06, 1, "coordconv did better", "0.05, so chance is not", "better, not after"),
        (0.1, 0.45, 0.01, -1, "coordconv did worse than cnn here: a ", None, "worse"),
        (0.4, 0.7, 0.3, 0, "No difference is shown between coordconv and cnn: a ",
         "The interval holds 0.5, which is even chance. About 40 seeds", "no difference shown"),
        (0.5, 0.7, 0.01, 0, "No difference is shown", "holds 0.5", "no difference shown"),
    ],
)  # fmt: skip
def test_the_verdict_begins_with_what_is_shown_and_follows_interval_and_p(
    analysis, low, high, p, side, begins, doubt, finding
):
    pair = replace(
        analysis.comparisons[0], improvement=some(low, high), p=p / 2, p_holm=p, seeds_needed=40
    )
    assert verdict.direction(pair) == side
    said = verdict.sentence(analysis, pair)
    assert said.startswith(begins)
    assert doubt in said if doubt else said.endswith(").")
    assert f"p {verdict.p_text(p / 2)}, {verdict.p_text(p)} corrected for 2 pairs" in said
    assert verdict.outcome(analysis, pair).startswith(finding)


def test_games_that_differ_from_the_whole_are_named(analysis):
    pair = replace(
        analysis.comparisons[0],
        arm="coordconv",
        games=("half", "way", "other"),
        improvement_by_game=np.array([1.0, 0.0, 0.9]),
        difference_by_game=np.array([3.0, -1.0, 2.0]),
        p_by_game=np.array([2e-7, 0.016, 0.06]),
        improvement=some(0.45, 0.8),
    )
    whole = "it did better in half (probability 1.00, p < 0.0001), worse in way (probability 0.00"
    assert f"But games differ: {whole}, p 0.016)." in verdict.sentence(analysis, pair)
    better = verdict.sentence(analysis, replace(pair, improvement=some(0.6, 0.8)))
    assert "But games differ: it did worse in way (probability 0.00, p 0.016)." in better
    alike = replace(pair, p_by_game=np.array([0.2, 0.06, np.nan]))
    assert "games differ" not in verdict.sentence(analysis, alike)
    # Ranks say better and means worse, and the test is one of means: neither is said.
    bimodal = replace(pair, difference_by_game=np.array([-20.0, 1.0, 2.0]))
    assert "games differ" not in verdict.sentence(analysis, bimodal)
    one = replace(
        pair, games=("half",), improvement_by_game=np.ones(1), difference_by_game=np.ones(1),
        p_by_game=np.zeros(1),
    )  # fmt: skip
    assert "games differ" not in verdict.sentence(analysis, one)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (-0.02, 0.04, "+0.0100 (-0.0200 to 0.0400) on the human-normalised scale: they differ by"),
        (0.06, 0.08, "on the human-normalised scale: by more than 0.05."),
        (-0.08, -0.06, "on the human-normalised scale: by more than 0.05."),
        (-0.02, 0.05, "it is not shown that they differ by less than 0.05"),
    ],
)
def test_equal_is_said_only_where_the_whole_interval_is_within_the_margin(
    analysis, low, high, words
):
    pair = replace(analysis.comparisons[0], mean_difference=some(low, high))
    assert "differ by" not in verdict.sentence(analysis, pair)
    asked = replace(analysis, equivalence=0.05)
    assert words in verdict.sentence(asked, pair)
    assert ("equal within 0.05" in verdict.outcome(asked, pair)) == (high == 0.04)


def test_small_p_values_are_not_written_as_zero():
    assert (verdict.p_text(1e-9), verdict.p_text(0.0314)) == ("< 0.0001", "0.031")


SPELLED_OUT = {"coords": "first", "head": "flatten", "name": "spelled"}  # what coordconv means


@pytest.mark.parametrize(
    ("arms", "p", "words"),
    [
        (("cnn", "coordconv", "shuffled"), (0.01, 0.01), "the geometry helps, and not only"),
        (("cnn", "coordconv", "shuffled"), (0.01, 0.06), "not shown that the geometry helps"),
        (("cnn", "coordconv", "shuffled"), (0.06, 0.01), None),  # that it helps at all is not shown
        (("cnn", "coordconv-r", "shuffled"), (0.01, 0.01), "not shown that the geometry helps"),
        (("cnn", SPELLED_OUT, "shuffled"), (0.01, 0.01), "spelled: the geometry helps"),
    ],
)
def test_geometry_is_named_only_where_both_pairs_are_shown_and_the_control_has_the_same_channels(
    tmp_path, arms, p, words
):
    make_experiment(tmp_path, arms=arms, **SMALL)
    found = read_results(tmp_path)
    whole = analyse(found, "ppo")
    pairs = [
        replace(pair, improvement=some(0.6, 0.9), p_holm=value)
        for pair, value in zip(whole.comparisons, p, strict=True)
    ]
    said = str(verdict.answer(found, replace(whole, comparisons=tuple(pairs))))
    assert "geometry" not in said if words is None else words in said
