"""Agents that play at random are called so, and no margin calls them equal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic import SMALL, make_experiment

from coordconv_rl.comparison.report import verdict
from coordconv_rl.comparison.report.floor import hardly_learnt
from coordconv_rl.comparison.results import read_results
from coordconv_rl.comparison.statistics import Estimate, analyse
from coordconv_rl.comparison.statistics.scale import Scale

WITHIN = Estimate(*(np.array(value) for value in (0.01, -0.02, 0.04)))


@pytest.fixture(scope="module")
def analysis(tmp_path_factory):
    folder = tmp_path_factory.mktemp("analysed")
    make_experiment(folder, **SMALL | {"games": ("DoubleDunk", "Pong", "Seaquest")})
    return analyse(read_results(folder), "ppo")


def scoring(analysis, mean, unmarked=None):
    """Let arms' means be these, each arm's by 0.002 more than that of the one before."""
    arms = {
        arm: replace(own, mean=of(mean + 0.002 * i), mean_unmarked=unmarked and of(unmarked))
        for i, (arm, own) in enumerate(analysis.arms.items())
    }
    return replace(analysis, arms=arms)


def of(value):
    return Estimate(np.array(value), None, None)


def test_where_no_arm_is_better_than_random_play_it_is_said(analysis):
    # Double Dunk, whose scale is tiny, does not count, as high as it is.
    (said,) = hardly_learnt(scoring(analysis, 0.9, 0.02))
    assert "without DoubleDunk is below 0.03 for every arm (cnn 0.02, coordconv 0.02, " in said
    assert "where 0 is random and 1 is human play" in said
    assert not list(hardly_learnt(scoring(analysis, 0.0, 0.03)))
    # Nothing else: nothing is known.
    assert not list(hardly_learnt(replace(scoring(analysis, 0.01), shared=("DoubleDunk",))))


def test_one_arm_that_learnt_is_enough(analysis):
    others = replace(analysis, shared=("Pong", "Seaquest"))
    (said,) = hardly_learnt(scoring(others, 0.025))  # 0.025, 0.027, 0.029
    assert "mean human-normalised score is below 0.03 for every arm (cnn 0.025, " in said
    assert not list(hardly_learnt(scoring(others, 0.027)))


def test_of_a_scale_without_random_play_nothing_is_said(analysis):
    assert not list(hardly_learnt(replace(scoring(analysis, 0, 0), scale=other_scale(analysis))))


def other_scale(analysis):
    return Scale("min-max", *(getattr(analysis.scale, name) for name in FIELDS))


FIELDS = [name for name in Scale.__dataclass_fields__ if name != "name"]


def test_the_sentence_is_the_answers_first(tmp_path):
    make_experiment(tmp_path, **SMALL)
    found = read_results(tmp_path)
    analysis = analyse(found, "ppo")
    random = verdict.answer(found, scoring(analysis, 0.01))
    assert random.texts[0].startswith("Hardly anything was learnt: ")
    assert "an arm: hardly anything was learnt: the mean" in str(random)
    assert "ardly" not in str(verdict.answer(found, scoring(analysis, 0.5)))


@pytest.mark.parametrize(
    ("means", "scale", "words", "finding"),
    [
        ((0.02, 0.09), "human-normalised", "(0.02 and 0.09; 0 is random play).", "random play"),
        ((0.02, 0.09), "min-max", "(0.02 and 0.09; 0 is a game's lowest run).", "lowest run"),
        ((0.02, 0.1), "human-normalised", "they differ by less than 0.05.", "within 0.05"),
        ((-0.2, -0.1), "human-normalised", "(-0.2 and -0.1; 0 is random play).", "random play"),
    ],
)
def test_two_arms_that_score_next_to_nothing_are_not_called_equal(
    analysis, means, scale, words, finding
):
    pair = replace(analysis.comparisons[0], mean_difference=WITHIN, means=np.array(means))
    asked = replace(analysis, equivalence=0.05)
    if scale == "min-max":
        asked = replace(asked, scale=other_scale(analysis))
    assert verdict.sentence(asked, pair).endswith(words)
    assert verdict.outcome(asked, pair).endswith(finding)


def test_a_pairs_means_are_those_of_the_games_that_differences_are_of(analysis):
    pair = analysis.comparisons[0]
    own = analysis.scores["coordconv"].scaled[:, 1:], analysis.scores["cnn"].scaled[:, 1:]
    assert pair.means == pytest.approx([scores.mean() for scores in own])
    assert pair.means[0] - pair.means[1] == pytest.approx(float(pair.mean_difference.value))
