"""Pairs and margins that are others than those first asked for, and what is no change of plan."""

from __future__ import annotations

from dataclasses import replace

from folders import experiment, finish
from synthetic import report

from coordconv_rl.comparison import plan
from coordconv_rl.comparison.baselines import declared_pairs
from coordconv_rl.comparison.launch.growth import make_request
from coordconv_rl.comparison.launch.ledger import Ledger


def asked(folder, *wanted):
    """Let experiments be asked for one after the other, a day each; the last one holds."""
    finish(folder, wanted[0])
    runs = [run.run_id for run in plan.expand(wanted[0])]
    requests = tuple(
        make_request(one, asked=f"2030-05-0{day}T00:00:00+00:00", by="me@there")
        for day, one in enumerate(wanted, start=1)
    )
    with Ledger(folder, runs) as held:
        held.take_up(runs, requests)
    plan.write_experiment(folder, wanted[-1])


ONE = experiment(
    algos=("ppo",), games=("Pong",), arms=("cnn", "coordconv", "shuffled"), seeds=(1, 2, 3)
)
CHANGED = "The pairs of arms were changed"


def test_pairs_and_margins_that_were_changed_on_the_way_are_no_plan(tmp_path):
    other = replace(ONE, comparisons=(("coordconv", "shuffled"),), equivalence=0.9)
    asked(tmp_path, replace(ONE, equivalence=0.05), ONE, other)
    text = report(tmp_path)
    assert f"{CHANGED} on 2030-05-03: the experiment began on 2030-05-01 with coordconv" in text
    assert "are called equal was changed on 2030-05-03: the experiment began on" in text
    assert "2030-05-01 with 0.05." in text


def test_the_same_pairs_said_outright_and_arms_that_came_or_went_are_no_change(tmp_path):
    fewer = replace(ONE, arms=("cnn", "coordconv"))
    asked(tmp_path / "more", fewer, replace(ONE, comparisons=declared_pairs(ONE)))
    asked(tmp_path / "fewer", ONE, fewer)
    for folder in ("more", "fewer"):
        assert CHANGED not in report(tmp_path / folder)


def test_a_ledger_of_before_says_nothing_of_margins(tmp_path):
    asked(tmp_path, ONE)
    path = tmp_path / "ledger.jsonl"
    path.write_text(path.read_text().replace(', "equivalence": null', ""))
    plan.write_experiment(tmp_path, replace(ONE, equivalence=0.05))
    assert "called equal was changed" not in report(tmp_path)
