"""An experiment's folder as data: whole, running, damaged and large."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
from folders import experiment, finish, write_run

from coordconv_rl.comparison import plan, results
from coordconv_rl.comparison.launch.inspect_agents import uninspected
from coordconv_rl.comparison.report import write_report
from coordconv_rl.configs import make_run_id, to_yaml
from coordconv_rl.errors import InputError
from coordconv_rl.runs import EPISODE_COLUMNS, read_episodes


def test_results_of_a_whole_experiment(tmp_path):
    config = experiment()
    finish(tmp_path, config)
    found = results.read_results(tmp_path)
    assert found.experiment == config
    assert [run.run_id for run in found.runs] == [run.run_id for run in plan.expand(config)]
    assert {run.status for run in found.runs} == {"done"}
    expected = {3: 3.0, 5: 5.0}
    assert results.final_scores(found, "ppo") == {
        arm: {"Pong": expected, "DoubleDunk": expected} for arm in ("cnn", "coordconv")
    }
    assert results.score_sources(found, "ppo") == ("evaluation",)


def test_a_run_that_trained_for_other_steps_does_not_count(tmp_path):
    finish(tmp_path, experiment(algos=("ppo",), games=("Pong",)))
    path = tmp_path / "ppo/Pong/cnn/seed-5/run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"step": 3000, "steps": 3000}))
    found = results.read_results(tmp_path)
    run = found.runs[2]
    assert (run.run_id, run.status) == ("ppo/Pong/cnn/seed-5", "of other settings")
    assert run.reason == "not trained as the experiment says: steps was 3000, it says 1000"
    assert results.final_scores(found, "ppo")["cnn"]["Pong"] == {3: 3.0}
    page = write_report(tmp_path).read_text()
    assert "3 of 4 runs are done (1 of other settings)" in page
    assert "steps was 3000, it says 1000" in page


def test_a_run_with_other_settings_does_not_count(tmp_path):
    config = experiment(algos=("ppo",), games=("Pong",))
    finish(tmp_path, config)
    made = plan.expand(replace(config, overrides={"ppo": {"gamma": 0.5, "n_steps": 64}}))[0]
    (tmp_path / made.run_id / "config.yaml").write_text(to_yaml(made))
    run = results.read_results(tmp_path).runs[0]
    assert run.status == "of other settings"
    assert "hyperparameters.gamma was 0.5, it says 0.99" in run.reason


@pytest.mark.parametrize("gone", ["", "run.json", "evaluation.json"])
def test_a_finished_run_whose_files_are_gone_does_not_count(tmp_path, gone):
    finish(tmp_path, experiment(algos=("ppo",), games=("Pong",)))
    path = tmp_path / "ppo/Pong/cnn/seed-3"
    shutil.rmtree(path) if not gone else (path / gone).unlink()
    found = results.read_results(tmp_path)
    assert found.runs[0].status == "not whole"
    assert "is gone: restore it" in found.runs[0].reason
    assert results.final_scores(found, "ppo")["cnn"]["Pong"] == {5: 5.0}


def test_an_inspection_before_the_trainings_end_does_not_count(tmp_path):
    finish(tmp_path, experiment(algos=("ppo",), games=("Pong",)))
    scores = {name: {"mean": 1.0} for name in ("trained", "zeroed", "permuted")}
    inspection = {"episodes": 1, "share": 0.1, "scores": scores}
    for run, step in (("coordconv/seed-3", 400), ("coordconv/seed-5", 1000)):
        path = tmp_path / "ppo/Pong" / run
        text = json.dumps({"run": f"ppo/Pong/{run}", "step": step} | inspection)
        (path / "inspection.json").write_text(text)
        (path / "checkpoints").mkdir()
    found = results.read_results(tmp_path)
    assert [run.seed for run in found.runs if run.inspection is not None] == [5]
    assert [run.run_id for run in uninspected(found)] == ["ppo/Pong/coordconv/seed-3"]


def test_without_an_evaluation_the_last_hundred_games_count(tmp_path):
    config = experiment(algos=("ppo",), games=("Pong",), seeds=(3,))
    plan.write_experiment(tmp_path, config)
    path = write_run(tmp_path, "ppo/Pong/cnn/seed-3")
    rows = "".join(f"{step},{step},400,1\n" for step in range(1, 301))
    (path / "episodes.csv").write_text(f"{EPISODE_COLUMNS}\n{rows}")
    found = results.read_results(tmp_path)
    assert results.final_score(found.runs[0]) == (250.5, "training")  # mean of 201 to 300
    assert results.final_score(found.runs[1]) is None
    assert results.final_scores(found, "ppo")["cnn"]["Pong"] == {}  # the ledger has it waiting
    so_far = results.final_scores(found, "ppo", unfinished=True)
    assert so_far["cnn"]["Pong"] == {3: 250.5}


RECORD = {"run": "ppo/Pong/cnn/seed-3", "status": "done", "step": "x", "steps": 1000}


DAMAGED = {
    "run.json": [
        "{",
        "[]",
        '{"run": "x"}',
        '{"format": 2, "run": "r", "status": "done"}',
        "\x00",
        json.dumps(RECORD),
    ],
    "evaluation.json": [
        "{",
        "{}",
        '{"stochastic": {}}',
        '{"stochastic": {"mean": "x"}}',
        '{"stochastic": [1]}',
    ],
    "episodes.csv": [
        "other,header\n1,2\n",
        EPISODE_COLUMNS + "\n1,2,3\n",
        EPISODE_COLUMNS + "\n1,x,3,1\n",
        EPISODE_COLUMNS + "\n1,nan,3,1\n",
        EPISODE_COLUMNS + "\n9,1,3,1\n8,1,3,1\n",
        EPISODE_COLUMNS + "\n\n8,1,3,1\n",
    ],
}


@pytest.mark.parametrize(
    ("name", "text"), [(name, text) for name, texts in DAMAGED.items() for text in texts]
)
def test_a_damaged_file_is_named_and_never_skipped(tmp_path, name, text):
    config = experiment(algos=("ppo",), games=("Pong",), arms=("cnn",), seeds=(3,))
    finish(tmp_path, config)
    (tmp_path / "ppo/Pong/cnn/seed-3" / name).write_text(text)
    with pytest.raises(InputError) as caught:
        results.read_results(tmp_path)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_line_that_is_being_written_waits_for_the_next_reading(tmp_path):
    path = tmp_path / "episodes.csv"
    path.write_text(f"{EPISODE_COLUMNS}\n10,1.5,400,1\n20,2")
    assert read_episodes(path).tolist() == [(10, 1.5, 400, 1)]
    path.write_text(EPISODE_COLUMNS[:9])
    with pytest.raises(InputError, match="first line"):
        read_episodes(path)
    assert len(read_episodes(tmp_path / "missing.csv")) == 0


def test_two_experiments_in_one_folder_are_noticed(tmp_path):
    finish(tmp_path, experiment(algos=("ppo",)))
    write_run(tmp_path, "ppo/Breakout/cnn/seed-9")
    with pytest.raises(InputError, match=r"such as ppo/Breakout/cnn/seed-9: two experiments"):
        results.read_results(tmp_path)


def test_a_run_copied_to_another_place_is_noticed(tmp_path):
    finish(tmp_path, experiment(algos=("ppo",)))
    source = tmp_path / "ppo/Pong/cnn/seed-3/run.json"
    (tmp_path / "ppo/Pong/cnn/seed-5/run.json").write_text(source.read_text())
    with pytest.raises(InputError, match=r"belongs to the run ppo/Pong/cnn/seed-3"):
        results.read_results(tmp_path)


def test_ten_thousand_finished_runs_are_read_in_a_minute(tmp_path):
    """What reading costs, in a process of its own so that its memory can be told."""
    config = experiment(
        games=(), suite="atari-57", arms=("cnn", "coordconv", "shuffled"), seeds=tuple(range(30))
    )
    runs = [make_run_id(*key) for key in plan.run_keys(config)]
    assert len(runs) == 10_260
    plan.write_experiment(tmp_path, config)
    rows = "".join(f"{step},{step},400,1\n" for step in range(10, 1001, 10))
    evaluation = json.dumps({"stochastic": {"mean": 1.0}})
    for run in runs:
        path = tmp_path / run
        path.mkdir(parents=True)
        record = {"run": run, "status": "done", "step": 1000, "steps": 1000}
        (path / "run.json").write_text(json.dumps(record))
        (path / "evaluation.json").write_text(evaluation)
        (path / "episodes.csv").write_text(f"{EPISODE_COLUMNS}\n{rows}")
    program = (
        "import sys, time; from pathlib import Path\n"
        "from coordconv_rl.comparison import results\n"
        "from coordconv_rl.comparison.launch import ledger\n"
        "from coordconv_rl.comparison.statistics import collect_scores\n"
        "folder = Path(sys.argv[1]); began = time.process_time()\n"
        "from coordconv_rl.comparison import plan\n"
        "from coordconv_rl.configs import make_run_id as run_id\n"
        "runs = [run_id(*k) for k in plan.run_keys(plan.read_experiment(folder))]\n"
        "with ledger.Ledger(folder, runs) as held:\n"
        "    for run in runs[::10]: held.update(run, status='done', attempts=1)\n"
        "found = results.read_results(folder)\n"
        "for algo in found.experiment.algos: collect_scores(found, algo)\n"
        # Not ru_maxrss, which a process inherits from the one that started it.
        "status = Path('/proc/self/status').read_text().split()\n"
        "peak = int(status[status.index('VmHWM:') + 1]) / 1024\n"
        "print(len(found.runs), time.process_time() - began, peak)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    count, seconds, mebibytes = map(float, ended.stdout.split())
    assert count == 10_260
    assert seconds < 60  # of processor time
    assert mebibytes < 400
