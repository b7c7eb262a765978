"""The end of a comparison: its tables, what is missing, Ctrl-C in the inspections."""

from __future__ import annotations

import io
import os
import signal
import sys

import forked
import pytest
from folders import experiment, write_run
from light_inspector import PROGRAM
from rich.console import Console
from synthetic import make_experiment
from waiting import LIMIT, wait_for

from coordconv_rl.comparison import plan
from coordconv_rl.comparison.launch import closing
from coordconv_rl.comparison.launch import inspect_agents as inspecting
from coordconv_rl.comparison.results import read_results
from coordconv_rl.configs.schema import Evaluation


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "made-up"
    make_experiment(made, games=("Pong",), seeds=(1, 2, 3))
    (made / "acts.json").write_text("{}")
    (tmp_path / "program.py").write_text(PROGRAM)
    return made


def close(folder, program):
    """Close a comparison with small inspectors; for a process of its own."""
    inspecting.inspect_missing.__kwdefaults__["program"] = (sys.executable, program)
    sys.exit(closing.close_comparison(folder, inspectors=2))


def test_ctrl_c_ends_the_closing_before_its_inspections_and_it_goes_on_later(folder, tmp_path):
    def closes():
        given = folder, str(tmp_path / "program.py")
        return forked.call(close, *given, folder=tmp_path, said=(said, said))

    said = tmp_path / "said"
    (folder / "acts.json").write_text('{"seconds": 3600}')
    process = closes()
    wait_for((folder / "began").is_file, while_alive=process.is_alive)
    os.kill(process.pid, signal.SIGINT)
    process.join(LIMIT)
    assert process.exitcode == 130
    assert "Traceback" not in said.read_text()
    assert "Start it again to go on" in said.read_text()
    assert (folder / "results.csv").is_file()
    (folder / "acts.json").write_text('{"seconds": 0}')
    again = closes()
    again.join(LIMIT)
    assert again.exitcode == 0
    assert "The report: " in said.read_text()
    assert "6 of 6 finished agents" in (folder / "report/index.html").read_text()


@pytest.mark.parametrize(
    ("episodes", "inspectors", "words"),
    [(5, 0, "6 agents with coordinates are not inspected"), (0, 2, "play no closing games")],
)
def test_it_says_so_when_nothing_is_inspected(tmp_path, episodes, inspectors, words):
    evaluation = Evaluation(episodes=episodes)
    make_experiment(tmp_path, games=("Pong",), seeds=(1, 2, 3), evaluation=evaluation)
    said = io.StringIO()
    console = Console(file=said, width=200)
    assert not closing.inspect_at_the_end(read_results(tmp_path), console, inspectors)
    assert words in said.getvalue()
    assert f"coordconv-rl inspect {tmp_path} does it" in said.getvalue()


def test_runs_that_are_not_done_are_counted_and_named_up_to_a_limit(tmp_path):
    plan.write_experiment(tmp_path, experiment(seeds=tuple(range(20))))
    write_run(tmp_path, "ppo/Pong/cnn/seed-0", score=1.0)
    console = Console(width=200, file=io.StringIO())
    assert closing.close_comparison(tmp_path, console) == 1
    shown = console.file.getvalue()
    assert "160 of 160 runs are not done" in shown
    assert "and 110 more" in shown
