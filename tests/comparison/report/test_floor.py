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


def scoring(analysis, *means):
    """Let arms' means be these in the games that count, each arm's 0.002 above the one before."""
    arms = {
        arm: replace(own, by_game=np.array(means) + 0.002 * index)
        for index, (arm, own) in enumerate(analysis.arms.items())
    }
    return replace(analysis, arms=arms)


def test_where_no_arm_is_better_than_random_play_it_is_said(analysis):
    (said,) = hardly_learnt(scoring(analysis, -0.0004))
    assert "cnn 0.000, coordconv 0.002, " in said  # no zero with a sign
    (said,) = hardly_learnt(scoring(analysis, 0.01, 0.03))
    assert "scores without DoubleDunk are cnn 0.020, coordconv 0.022, shuffled 0.024, wh" in said
    assert "where 0 is random and 1 is human play" in said
    # Nothing but a game whose scale is tiny: nothing is known.
    assert not list(hardly_learnt(replace(scoring(analysis, 0.01), shared=("DoubleDunk",))))


@pytest.mark.parametrize(
    ("means", "is_little"),
    [
        ((0.0, 0.054), False),  # on average 0.027, 0.029 and 0.031
        ((0.0, 0.05), True),
        ((0.9, -0.92), False),  # which cancel
        ((-0.4, -0.5), False),  # worse than at random
        ((0.0, 0.0, 0.0, 0.0, 0.11), False),  # one game of five
        ((0.0, 0.0, 0.0, 0.0, 0.09), True),
    ],
)
def test_one_arm_in_one_game_is_enough_to_have_learnt_something(analysis, means, is_little):
    others = replace(analysis, shared=("Pong", "Seaquest"))
    assert bool(list(hardly_learnt(scoring(others, *means)))) is is_little


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
    assert "an arm: hardly anything was learnt: mean" in str(random)
    assert "ardly" not in str(verdict.answer(found, scoring(analysis, 0.5)))


def test_one_arm_alone_is_told_too(tmp_path):
    make_experiment(tmp_path, arms=("cnn",), **SMALL)
    found = read_results(tmp_path)
    texts = verdict.answer(found, scoring(analyse(found, "ppo"), 0.01)).texts
    assert [text.split(":")[0].split(",")[0] for text in texts] == [
        "Hardly anything was learnt",
        "No verdict",
    ]


@pytest.mark.parametrize(
    ("means", "margin", "is_near"),
    [
        (((0.02, 0.03), (0.09, 0.01)), 0.05, True),
        (((0.02, 0.03), (0.11, 0.01)), 0.05, False),
        (((0.02, 0.03), (0.09, 0.01)), 0.04, False),
        (((0.5, -0.5), (0.5, -0.5)), 0.05, False),
        (((0.2, 0.2), (0.2, 0.2)), 0.5, False),
    ],
)
def test_arms_that_play_as_at_random_are_not_called_equal(analysis, means, margin, is_near):
    pair = replace(analysis.comparisons[0], mean_difference=WITHIN, means=np.array(means))
    asked = replace(analysis, equivalence=margin)
    if margin < 0.05:
        pair = replace(pair, mean_difference=Estimate(*map(np.array, (0.01, -0.02, 0.03))))
    said, outcome = verdict.sentence(asked, pair), verdict.outcome(asked, pair)
    assert outcome.endswith("both near random play" if is_near else f"equal within {margin:g}")
    assert ("near to random play, which is 0 (0.025 and 0.050)." in said) is is_near
    # Another scale's zero is no random play: agents may be good there and equal.
    other = replace(asked, scale=other_scale(analysis))
    assert verdict.outcome(other, pair).endswith(f"equal within {margin:g}")
    assert verdict.sentence(other, pair).endswith(f"they differ by less than {margin:g}.")


def test_a_pairs_means_are_those_of_the_games_that_differences_are_of(analysis):
    pair = analysis.comparisons[0]
    own = [analysis.scores[arm].scaled[:, 1:].mean(axis=0) for arm in ("coordconv", "cnn")]
    assert pair.means == pytest.approx(np.array(own))
    first, second = pair.means.mean(axis=1)
    assert first - second == pytest.approx(float(pair.mean_difference.value))
