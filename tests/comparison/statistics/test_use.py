"""How far scores fall without coordinates: by hand, and between heads."""

from __future__ import annotations

import numpy as np
import pytest
from folders import experiment, finish

from coordconv_rl.comparison.results import read_results
from coordconv_rl.comparison.statistics import analyse
from coordconv_rl.comparison.statistics.use import analyse_use

ARMS = ("cnn", "coordconv", "coordconv-pool")
SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Scores are the seeds, so that every game's scale goes from 1 to 3."""
    folder = tmp_path_factory.mktemp("falls")
    games = ("minatar/breakout", "minatar/freeway")
    finish(folder, experiment(algos=("ppo",), games=games, arms=ARMS, seeds=SEEDS))
    return read_results(folder)


def means(found, falls):
    """An inspection of every agent with coordinates, whose score falls by `falls[arm][seed]`."""
    return {
        ("ppo", game, arm, seed): {"trained": 9.0, "zeroed": 9.0 - fall, "permuted": 9.0}
        for game in found.games
        for arm, own in falls.items()
        for seed, fall in zip(SEEDS, own, strict=True)
    }


def test_falls_and_their_comparison_by_hand(found):
    falls = {"coordconv": (0.0, 1.0, 2.0), "coordconv-pool": (3.0, 4.0, 5.0)}
    uses, pairs = analyse_use(found, analyse(found, "ppo"), means(found, falls))
    assert [(use.arm, use.agents) for use in uses] == [("coordconv", 6), ("coordconv-pool", 6)]
    flat, pooled = uses
    assert flat.falls["zeroed"].value == pytest.approx(1.0 / 2)  # a scale 2 wide
    assert pooled.falls["zeroed"].value == pytest.approx(4.0 / 2)
    assert flat.falls["zeroed"].low < 0.5 < flat.falls["zeroed"].high
    assert pooled.falls["permuted"].value == 0
    zeroed, permuted = pairs
    assert (zeroed.arm, zeroed.against, zeroed.treatment) == (
        "coordconv-pool", "coordconv", "zeroed",
    )  # fmt: skip
    assert (zeroed.games, zeroed.seeds, float(zeroed.further.value)) == (2, 3, 1.0)
    assert zeroed.difference.value == pytest.approx(3.0 / 2)
    assert zeroed.p == pytest.approx(2 / 20**2)  # two games of 3 against 3
    assert zeroed.p_holm == pytest.approx(4 / 20**2)
    assert (float(permuted.further.value), permuted.p) == (0.5, 1.0)


def test_two_inspections_of_an_arm_give_no_interval_and_no_p_value(found):
    falls = {"coordconv": (0.0, 1.0, 2.0), "coordconv-pool": (3.0, 4.0, 5.0)}
    some = {key: own for key, own in means(found, falls).items() if key[2:] != (ARMS[2], 3)}
    uses, pairs = analyse_use(found, analyse(found, "ppo"), some)
    assert uses[1].falls["zeroed"].low is None
    assert pairs[0].further.low is None
    assert np.isnan(pairs[0].p)


def test_without_inspections_there_is_nothing(found):
    assert analyse_use(found, analyse(found, "ppo"), {}) == ((), ())


def test_a_game_of_a_tiny_range_does_not_make_the_mean_fall(tmp_path):
    games = ("DoubleDunk", "Pong")  # human play is 2.2 and 35.3 points above random play
    finish(tmp_path, experiment(algos=("ppo",), games=games, arms=ARMS, seeds=SEEDS))
    found = read_results(tmp_path)
    falls = {"coordconv": (0.0, 1.0, 2.0), "coordconv-pool": (3.0, 4.0, 5.0)}
    uses, (zeroed, _) = analyse_use(found, analyse(found, "ppo"), means(found, falls))
    assert [float(use.falls["zeroed"].value) for use in uses] == pytest.approx([1 / 35.3, 4 / 35.3])
    assert zeroed.difference.value == pytest.approx(3 / 35.3)
    assert zeroed.games == 2  # ranks are of both
