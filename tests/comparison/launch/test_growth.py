"""A comparison that grows: only what is missing is done, and nothing that exists is changed."""

from __future__ import annotations

import dataclasses
import json

import pytest
from light_worker import RUNS, attempts, entry, experiment, run_experiment

from coordconv_rl.comparison import plan
from coordconv_rl.comparison.entries import read_ledger, read_requests
from coordconv_rl.comparison.export import export_comparison
from coordconv_rl.comparison.launch.growth import check_settings, make_request
from coordconv_rl.comparison.launch.ledger import Ledger
from coordconv_rl.comparison.launch.status import request_table
from coordconv_rl.comparison.report import write_report
from coordconv_rl.comparison.results import read_results
from coordconv_rl.errors import InputError
from coordconv_rl.runs import prepare_run

VARIED = {"varied": True}


def numbers(folder):
    """The bytes of every table and of the results, and the figures' too."""
    files = [*folder.glob("results.*"), *folder.glob("report/*.csv"), *folder.glob("report/*.png")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_grown_twice_it_is_what_it_would_be_made_at_once(folder, tmp_path):
    """On MinAtar, whose scale is made of all runs; arms of two heads."""
    grown, once = folder, tmp_path / "once"
    game, arms = ("minatar/breakout",), ("cnn-pool", "coordconv-pool", "coordconv")
    assert run_experiment(experiment(games=game, arms=arms[:2]), grown, VARIED) == 0
    more = experiment(games=game, arms=arms[:2], seeds=(0, 1, 2))
    assert run_experiment(more, grown, VARIED) == 0
    whole = experiment(games=game, arms=arms, seeds=(0, 1, 2))
    assert run_experiment(whole, grown, VARIED) == 0
    assert run_experiment(whole, once, VARIED) == 0
    assert {attempts(grown, config.run_id) for config in plan.expand(whole)} == {1}
    first, second = numbers(grown), numbers(once)
    assert len(first) > 8
    assert first == second
    asked = read_requests(grown)
    assert [(one.seeds, one.arms) for one in asked] == [
        ((0, 1), arms[:2]),
        ((0, 1, 2), arms[:2]),
        ((0, 1, 2), arms),
    ]
    assert all(one.asked and "@" in one.by for one in asked)
    assert request_table(asked).row_count == 3


def test_fewer_runs_are_left_out_of_the_report_and_it_says_so(folder):
    assert run_experiment(experiment(seeds=(0, 1, 2)), folder) == 0
    less = experiment(seeds=(0, 2), arms=("coordconv",))
    assert run_experiment(less, folder) == 0
    found = read_results(folder)
    assert [run.run_id for run in found.runs] == [
        f"ppo/Pong/coordconv/seed-{seed}" for seed in (0, 2)
    ]
    assert sorted(found.left_out) == [
        *(f"ppo/Pong/cnn/seed-{seed}" for seed in (0, 1, 2)),
        "ppo/Pong/coordconv/seed-1",
    ]
    words = "Left out: 4 runs in this folder that the experiment asked for earlier and does not ask"
    page = write_report(folder).read_text(encoding="utf-8")
    assert f"{words} for now (arm cnn; seed 1)." in page
    assert entry(folder, "ppo/Pong/cnn/seed-1").status == "done"
    assert run_experiment(experiment(seeds=(0, 1, 2)), folder) == 0  # and back again
    assert {attempts(folder, run) for run in read_ledger(folder)} == {1}
    assert read_results(folder).left_out == ()


def test_the_same_again_is_no_new_request(done):
    assert run_experiment(experiment(), done) == 0
    assert len(read_requests(done)) == 1


def test_a_folder_of_an_earlier_version_has_its_experiment_as_first_request(folder):
    plan.write_experiment(folder, experiment(seeds=(0,)))
    (folder / "ledger.jsonl").write_text(json.dumps({"run": RUNS[0]}) + "\n")
    assert run_experiment(experiment(), folder) == 0
    first, second = read_requests(folder)
    assert (first.asked, first.by, first.seeds) == (None, None, (0,))
    assert second.seeds == (0, 1)


def test_a_changed_setting_names_itself_and_the_runs_and_changes_nothing(done):
    before = {path: path.read_bytes() for path in done.rglob("*.*") if path.is_file()}
    other = experiment(seeds=(0, 1, 2), overrides={"ppo": {"n_steps": 64}}, precision="float32")
    with pytest.raises(InputError, match="4 runs with other settings, such as ") as refused:
        run_experiment(other, done)
    assert "hyperparameters.n_steps was 128 and is now 64" in str(refused.value)
    assert "precision was auto and is now float32" in str(refused.value)
    with pytest.raises(InputError, match="name was trial and is now other"):
        run_experiment(experiment(name="other"), done)
    unchanged = {path: path.read_bytes() for path in done.rglob("*.*") if path.is_file()}
    assert {p for p in before if before[p] != unchanged[p]} <= {done / "ledger.lock"}
    assert len(unchanged) == len(before)


def test_a_setting_of_runs_that_do_not_exist_may_change(folder):
    asked = experiment()
    plan.write_experiment(folder, asked)
    assert check_settings(folder, plan.expand(experiment(precision="float32"))) == []


def test_settings_are_compared_one_by_one():
    one = plan.expand(experiment())[0]
    settings = dataclasses.replace(one.hyperparameters, gamma=0.5)
    other = dataclasses.replace(one, hyperparameters=settings, seed=9)
    assert plan.differences(one, other) == [("hyperparameters.gamma", 0.99, 0.5)]


CONSTANT = {"ppo": {"schedule": "constant"}}


def test_finished_runs_train_on_where_the_schedule_is_constant(folder):
    assert run_experiment(experiment(overrides=CONSTANT), folder, VARIED) == 0
    rows = (folder / RUNS[0] / "episodes.csv").read_text().splitlines()
    assert run_experiment(experiment(overrides=CONSTANT, steps=150), folder, VARIED) == 0
    found = read_results(folder)
    assert {(run.status, run.step) for run in found.runs} == {("done", 150)}
    assert {attempts(folder, run) for run in RUNS} == {2}
    assert rows[-1].startswith("100,")
    assert read_requests(folder)[-1].steps == 150


def test_more_steps_with_a_linear_schedule_are_refused_with_the_reason(done):
    with pytest.raises(InputError, match=r"is now 150, .* linearly to zero .* --folder"):
        run_experiment(experiment(steps=150), done)
    with pytest.raises(InputError, match="steps was 100 and is now 50"):
        run_experiment(experiment(steps=50), done)


def test_runs_of_nobody_are_refused_and_the_ledger_stays(folder):
    plan.write_experiment(folder, experiment())
    with Ledger(folder) as held:
        held.take_up(RUNS, [make_request(experiment())])
    text = (folder / "ledger.jsonl").read_text()
    (folder / "ppo/Pong/cnn/seed-7").mkdir(parents=True)
    (folder / "ppo/Pong/cnn/seed-7/run.json").write_text("{}")
    with pytest.raises(InputError, match=r"nobody has asked for, such as ppo/Pong/cnn/seed-7"):
        run_experiment(experiment(seeds=(0, 1, 2)), folder)
    assert (folder / "ledger.jsonl").read_text() == text


def test_a_launcher_that_dies_between_ledger_and_experiment_leaves_a_folder_that_works(
    folder, monkeypatch
):
    assert run_experiment(experiment(seeds=(0,)), folder) == 0

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(plan, "write_experiment", die)
        with pytest.raises(KeyboardInterrupt):
            run_experiment(experiment(), folder)
    assert read_results(folder).experiment.seeds == (0,)  # as before, and readable
    assert run_experiment(experiment(), folder) == 0
    assert {run.status for run in read_results(folder).runs} == {"done"}
    assert len(read_requests(folder)) == 2


def test_a_cut_experiment_is_not_taken_for_a_smaller_one(folder):
    plan.write_experiment(folder, experiment(seeds=tuple(range(12)), arms=("cnn", "coordconv")))
    path = folder / "experiment.yaml"
    lines = path.read_text().splitlines(keepends=True)
    for kept in range(len(lines)):
        path.write_text("".join(lines[:kept]))
        with pytest.raises(InputError):
            read_results(folder)
    path.write_text("".join(lines).replace("- 11\n", ""))
    with pytest.raises(InputError, match="is cut or was changed"):
        read_results(folder)
    path.write_text("".join(lines[1:-1]))  # what a user does who means to change it
    assert read_results(folder).experiment.seeds == tuple(range(12))


def test_other_pairs_are_compared_without_another_run_and_the_ledger_knows(done):
    pairs = (("cnn", "coordconv"),)
    assert run_experiment(experiment(comparisons=pairs), done) == 0
    assert plan.read_experiment(done).comparisons == pairs
    assert [one.comparisons for one in read_requests(done)] == [(), pairs]
    assert {attempts(done, config.run_id) for config in plan.expand(experiment())} == {1}
    assert "cnn,coordconv," in (done / "report" / "verdicts.csv").read_text()


def test_an_export_cannot_train_on_and_says_so(folder, tmp_path):
    assert run_experiment(experiment(overrides=CONSTANT), folder, VARIED) == 0
    export_comparison(folder, tmp_path / "out")
    with pytest.raises(InputError, match=r"its agent is not there, as in every export, and more"):
        run_experiment(experiment(overrides=CONSTANT, steps=150), tmp_path / "out", VARIED)


def test_settings_of_runs_that_never_began_may_be_mended(folder):
    asked = experiment()
    plan.write_experiment(folder, asked)
    for config in plan.expand(asked):
        prepare_run(folder / config.run_id, config)
    mended = experiment(precision="float32")
    assert check_settings(folder, plan.expand(mended)) == []
    assert run_experiment(mended, folder) == 0
    assert {run.status for run in read_results(folder).runs} == {"done"}
