"""The command that launches a comparison: takes it up, does what is missing, refuses nonsense."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from light_worker import RUNS, attempts, entry, experiment, launcher, start
from synthetic import make_experiment
from waiting import LIMIT

from coordconv_rl.comparison import plan
from coordconv_rl.comparison.launch import closing, estimate
from coordconv_rl.comparison.launch import compare as launch
from coordconv_rl.comparison.launch.compare import LaunchOptions
from coordconv_rl.comparison.launch.local import LocalBackend
from coordconv_rl.comparison.results import read_results
from coordconv_rl.errors import InputError
from coordconv_rl.runs import WANDB_VARIABLE


def test_all_runs_are_done_once_and_the_files_of_the_end_are_there(folder, capsys):
    assert start(folder) == 0
    assert {
        run: (entry(folder, run).status, attempts(folder, run)) for run in RUNS
    } == dict.fromkeys(RUNS, ("done", 1))
    assert "All 4 runs are done." in capsys.readouterr().out
    for name in ("results.csv", "results.md", "learning_curves.png"):
        assert (folder / name).stat().st_size > 0
    assert "ppo,Pong,cnn,1.0,0.0,2,2," in (folder / "results.csv").read_text()


def test_called_again_it_does_only_what_is_missing(done):
    (done / RUNS[2] / "run.json").unlink()
    (done / RUNS[2] / "checkpoint").unlink()
    assert start(done) == 0
    assert [attempts(done, run) for run in RUNS] == [1, 1, 2, 1]
    assert entry(done, RUNS[2]).status == "done"


def test_a_changed_experiment_is_refused_with_what_changed(done):
    before = (done / "experiment.yaml").read_bytes()
    with pytest.raises(InputError, match=r"steps was 100 and is now 50"):
        launch.run_comparison(experiment(steps=50), done, jobs=1, options=LaunchOptions())
    assert (done / "experiment.yaml").read_bytes() == before
    again = experiment(description="Other words.")
    assert launch.run_comparison(again, done, jobs=1, options=LaunchOptions()) == 0


def test_a_run_folder_with_other_settings_is_left_alone_and_named(folder):
    run = folder / RUNS[0]
    run.mkdir(parents=True)
    other = plan.expand(experiment(steps=999))[0]
    text = plan.to_yaml(other)
    (run / "config.yaml").write_text(text)
    (run / "episodes.csv").write_text("")  # without any file it would never have begun
    with pytest.raises(InputError, match="1 run with other settings, such as ppo/Pong/cnn/seed-0"):
        start(folder)
    assert (run / "config.yaml").read_text() == text


@pytest.mark.parametrize(
    "options",
    [{"retries": -1}, {"hang_minutes": 0.0}, {"hang_minutes": float("nan")}, {"address": "x:1"}],
)
def test_options_that_make_no_sense_are_refused(folder, options):
    with pytest.raises(InputError, match=next(iter(options))):
        start(folder, **options)
    with pytest.raises(InputError, match="jobs is 0"):
        start(folder, jobs=0)
    assert not (folder / "experiment.yaml").exists()


def test_a_second_launcher_is_refused_with_the_name_of_the_first(folder):
    process = launcher(folder, folder.parent / "said")
    with pytest.raises(InputError, match=rf"in use by the launcher process {process.pid} on"):
        start(folder)
    running = [run.status for run in read_results(folder).runs]  # readable meanwhile
    assert running[:2] == ["running", "running"]
    process.terminate()
    process.join(LIMIT)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (LaunchOptions(), 2),
        (LaunchOptions(inspect=False), 0),
        (LaunchOptions(backend="ray"), 0),
    ],
)
def test_the_launcher_inspects_on_this_machine_unless_told_not_to(
    tmp_path, monkeypatch, options, expected
):

    def close(folder: Path, *, inspectors: int, code: Path | None) -> int:
        asked.append(inspectors)
        return 0

    asked: list[int] = []
    monkeypatch.setattr(closing, "close_comparison", close)
    monkeypatch.setattr(launch, "_backend", lambda options, folder, code: LocalBackend())
    experiment = make_experiment(tmp_path, games=("Pong",))
    assert launch.run_comparison(experiment, tmp_path, jobs=2, options=options) == 0
    assert asked == [expected]


def test_runs_are_told_of_wandb_but_no_measurement_and_no_later_comparison(folder, monkeypatch):
    monkeypatch.setenv(WANDB_VARIABLE, "")  # it is put back after the test
    monkeypatch.delenv(WANDB_VARIABLE)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: "found")
    measured = []
    monkeypatch.setattr(estimate, "measure_speed", lambda *given: measured.append(dict(os.environ)))
    assert start(folder, wandb="mine") == 0
    assert {(folder / run / "project").read_text() for run in RUNS} == {"mine"}
    assert [WANDB_VARIABLE in environment for environment in measured] == [False]
    more = experiment(seeds=(0, 1, 2))
    assert launch.run_comparison(more, folder, jobs=2, options=LaunchOptions()) == 0
    added = [folder / "ppo" / "Pong" / arm / "seed-2" for arm in ("cnn", "coordconv")]
    assert {(run / "project").read_text() for run in added} == {"none"}


def test_wandb_without_its_library_is_said_before_anything_starts(folder, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"--wandb needs .*pip install 'coordconv_rl\[wandb\]'$"):
        launch.run_comparison(experiment(), folder, jobs=1, options=LaunchOptions(wandb="mine"))
    assert not (folder / "ledger.jsonl").exists()
