"""Inspections at the end of a comparison: some at a time, kept, interrupted, failed, left out."""

from __future__ import annotations

import io
import json
import os
import sys

import pytest
from light_inspector import PROGRAM
from rich.console import Console
from synthetic import make_experiment, write_inspection

from coordconv_rl import locks
from coordconv_rl.comparison.launch import compare as launch
from coordconv_rl.comparison.launch import estimate
from coordconv_rl.comparison.launch import inspect_agents as inspecting
from coordconv_rl.comparison.launch.compare import LaunchOptions
from coordconv_rl.comparison.launch.inspect_agents import inspect_missing, uninspected
from coordconv_rl.comparison.results import read_results
from coordconv_rl.configs.schema import Evaluation, ExperimentConfig
from coordconv_rl.runs import RUN_LOCK

AGENTS = [f"ppo/Pong/{arm}/seed-{seed}" for seed in (1, 2, 3) for arm in ("coordconv", "shuffled")]


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "made-up"
    make_experiment(made, games=("Pong",), seeds=(1, 2, 3))
    (made / "acts.json").write_text("{}")
    (tmp_path / "program.py").write_text(PROGRAM)
    return made


def inspect(folder, *, jobs=3, stop=lambda: False):
    """Run the small program for what is missing; return whether it stopped and what it said."""
    said = io.StringIO()
    program = (sys.executable, str(folder.parent / "program.py"))
    console = Console(file=said, width=80)
    found = read_results(folder)
    return inspect_missing(found, console, jobs=jobs, stop=stop, program=program), said.getvalue()


def begun(folder):
    return [line.split() for line in (folder / "began").read_text().splitlines()]


@pytest.mark.parametrize("jobs", [1, 3])
def test_every_finished_agent_with_coordinates_is_inspected_so_many_at_a_time(folder, jobs):
    (folder / "acts.json").write_text(json.dumps({"seconds": 0.05, "together": jobs}))
    stopped, said = inspect(folder, jobs=jobs)
    assert not stopped
    assert sorted(run for _, _, run in begun(folder)) == sorted(AGENTS)
    assert "6 to inspect" in said
    assert "6 of 6: " in said
    assert len({pid for _, pid, _ in begun(folder)}) == jobs  # each one serves several
    assert json.loads((folder / AGENTS[0] / "inspection.json").read_text())["episodes"] == 5
    times = [(float(t), 1) for t, _, _ in begun(folder)]
    times += [(float(t), -1) for t in (folder / "ended").read_text().split()]
    together = [sum(change for t, change in times if t <= now) for now, _ in times]
    assert max(together) == jobs


def test_what_exists_or_is_not_done_is_left_alone(tmp_path):
    states = {("coordconv", 2): "failed", ("shuffled", 3): "waiting"}
    make_experiment(tmp_path, lambda key: states.get(key[2:], "done"), games=("Pong",))
    write_inspection(tmp_path, ("ppo", "Pong", "coordconv", 1))
    left = {(run.arm, run.seed) for run in uninspected(read_results(tmp_path))}
    kept = {("coordconv", seed) for seed in (3, 4, 5)}
    assert left == kept | {("shuffled", seed) for seed in (1, 2, 4, 5)}


def test_failures_are_named_and_stop_nothing(folder):
    acts = {"seconds": 0, AGENTS[0]: "refuse", AGENTS[3]: "die"}
    (folder / "acts.json").write_text(json.dumps(acts))
    stopped, said = inspect(folder)
    assert not stopped
    assert f"{AGENTS[0]} is not inspected: no checkpoint here" in said
    assert f"{AGENTS[3]} is not inspected: killed by SIGKILL (out of memory?)" in said
    assert len(uninspected(read_results(folder))) == 2
    (folder / "acts.json").write_text("{}")
    inspect(folder)
    assert len(begun(folder)) == 8  # only the two that failed once more
    assert uninspected(read_results(folder)) == []


def test_an_agent_that_somebody_works_on_is_named(folder):
    held = locks.acquire(folder / AGENTS[1] / RUN_LOCK, "another launcher")
    _, said = inspect(folder)
    os.close(held)
    assert f"{AGENTS[1]} is not inspected: another launcher works on it" in said
    assert len(begun(folder)) == 5


def test_stopping_kills_what_goes_on_and_keeps_what_is_whole(folder):
    (folder / "acts.json").write_text('{"seconds": 60}')
    stopped, said = inspect(folder, stop=(folder / "began").is_file)
    assert stopped
    assert not (folder / "ended").exists()
    assert "6 agents are left to inspect" in said
    for _, pid, _ in begun(folder):
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)
    os.close(locks.acquire(folder / AGENTS[0] / RUN_LOCK, "somebody"))  # nothing holds it


def test_one_that_hangs_is_killed(folder, monkeypatch):
    monkeypatch.setattr(inspecting, "LONGEST_SECONDS", 1.0)
    (folder / "acts.json").write_text('{"seconds": 60}')
    stopped, said = inspect(folder, jobs=6)
    assert not stopped
    assert said.count("killed by SIGKILL") == 6


def test_a_real_comparison_from_its_worker_to_an_inspection_in_its_report(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(estimate, "measure_speed", lambda config, backend: 100.0)
    small = ExperimentConfig(
        name="trial",
        description="A trial.",
        algos=("ppo",),
        games=("Breakout",),
        arms=("coordconv",),
        seeds=(0,),
        steps=128,
        overrides={"ppo": {"n_envs": 2, "n_steps": 32, "batch_size": 32, "n_epochs": 1}},
        evaluation=Evaluation(episodes=1, greedy=False),
    )
    options = LaunchOptions(retries=0)
    assert launch.run_comparison(small, tmp_path / "runs", jobs=1, options=options) == 0
    out = capsys.readouterr().out
    assert "The one run is done." in out
    assert "1 of 1: ppo/Breakout/coordconv/seed-0 inspected in" in out
    (found,) = read_results(tmp_path / "runs").runs
    assert (found.status, found.step, found.attempts) == ("done", 128, 1)
    assert len(found.evaluation["stochastic"]["scores"]) == 1
    run = tmp_path / "runs/ppo/Breakout/coordconv/seed-0"
    inspected = json.loads((run / "inspection.json").read_text())
    evaluated = json.loads((run / "evaluation.json").read_text())
    trained = inspected["scores"]["trained"]
    assert trained["scores"] == evaluated["stochastic"]["scores"]  # the same games, played again
    page = (tmp_path / "runs/report/index.html").read_text()
    assert "1 of 1 finished agents with coordinates were inspected" in page
    assert (tmp_path / "runs/report/inspection_ppo_Breakout.svg").is_file()
