"""Which arm is compared with which."""

from __future__ import annotations

import pytest
from folders import experiment

from coordconv_rl.comparison.baselines import (
    declared_pairs,
    derived_pairs,
    head_pairs,
    pairs_against,
)
from coordconv_rl.errors import InputError

OWN = {"extractor": "nets:Tiny", "name": "tiny"}


@pytest.mark.parametrize(
    ("arms", "pairs"),
    [
        (("cnn", "coordconv", "shuffled"), "coordconv:cnn coordconv:shuffled"),
        (
            ("cnn", "coordconv", "shuffled", "cnn-pool", "coordconv-pool", "shuffled-pool"),
            "coordconv:cnn coordconv:shuffled coordconv-pool:cnn-pool coordconv-pool:shuffled-pool",
        ),
        (("cnn", "coordconv-r", "shuffled"), "coordconv-r:cnn coordconv-r:shuffled"),
        (("coordconv-pool", OWN), "tiny:coordconv-pool"),
        ((OWN, "cnn", "coordconv"), "coordconv:cnn"),
        (("cnn", "cnn-pool"), "cnn-pool:cnn"),
        (("cnn", "shuffled"), "shuffled:cnn"),
        (("cnn",), ""),
    ],
)
def test_pairs_follow_from_the_arms(arms, pairs):
    found = derived_pairs(experiment(arms=arms))
    assert " ".join(":".join(pair) for pair in found) == pairs


def test_the_control_of_the_same_channels_comes_before_any_other():
    arms = (
        "shuffled",
        "coordconv-all",
        {"coords": "all", "shuffled": True, "name": "all-shuffled"},
    )
    assert derived_pairs(experiment(arms=arms))[0] == ("coordconv-all", "all-shuffled")


def test_an_arm_that_names_the_experiments_own_head_is_kin_to_one_that_names_none():
    arms = ("cnn", "coordconv-flatten", "coordconv-pool")
    assert derived_pairs(experiment(arms=arms)) == (
        ("coordconv-flatten", "cnn"), ("coordconv-pool", "cnn"),
    )  # fmt: skip


def test_what_an_experiment_names_holds():
    chosen = (("shuffled", "coordconv"),)
    named = experiment(arms=("cnn", "coordconv", "shuffled"), comparisons=chosen)
    assert declared_pairs(named) == chosen
    assert pairs_against(named, "shuffled") == (("cnn", "shuffled"), ("coordconv", "shuffled"))
    with pytest.raises(InputError, match="unknown baseline 'coord': did you mean coordconv"):
        pairs_against(named, "coord")


def test_heads_are_compared_of_arms_with_the_same_coordinates():
    arms = ("cnn", "coordconv", "shuffled", "cnn-pool", "coordconv-pool", "shuffled-pool")
    assert head_pairs(experiment(arms=arms)) == (
        ("coordconv-pool", "coordconv"), ("shuffled-pool", "shuffled"),
    )  # fmt: skip
    assert head_pairs(experiment(arms=("coordconv", "coordconv-flatten"))) == ()
