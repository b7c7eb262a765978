"""A finished run that trains on to more steps is the run that has so many steps from the start."""

from __future__ import annotations

import json

import pytest
import torch

from coordconv_rl.agents import train_agent
from coordconv_rl.agents.training import list_checkpoints, load_checkpoint
from coordconv_rl.configs import Evaluation
from coordconv_rl.errors import InputError
from coordconv_rl.runs import lengthen_run, longer_run


def test_a2c_trained_on_is_a2c_trained_at_once(small_run, tmp_path):
    evaluation = Evaluation(episodes=1, greedy=False)
    short = small_run("a2c", steps=256, evaluation=evaluation, checkpoint_minutes=60.0)
    grown, once = tmp_path / "grown", tmp_path / "once"
    train_agent(short, grown)
    first = (grown / "evaluation.json").read_bytes()
    longer = longer_run(short, 480)
    lengthen_run(grown, longer)
    assert (grown / "evaluation-at-256.json").read_bytes() == first
    assert train_agent(longer, grown)["status"] == "done"
    train_agent(longer, once)
    assert (grown / "episodes.csv").read_bytes() == (once / "episodes.csv").read_bytes()
    ends = [load_checkpoint(list_checkpoints(folder)[0]) for folder in (grown, once)]
    assert ends[0].tensors.keys() == ends[1].tensors.keys()
    for name, tensor in ends[0].tensors.items():
        assert torch.equal(tensor, ends[1].tensors[name]), name
    scores = [json.loads((folder / "evaluation.json").read_text()) for folder in (grown, once)]
    assert scores[0]["stochastic"] == scores[1]["stochastic"]


def test_a_linear_schedule_and_fewer_steps_are_refused(small_run):
    with pytest.raises(InputError, match="linearly to zero"):
        longer_run(small_run("ppo", steps=64), 128)
    with pytest.raises(InputError, match="give more"):
        longer_run(small_run("a2c", steps=64), 32)


def test_the_command_line_trains_on(cli, small_run, tmp_path):
    train_agent(small_run("a2c", steps=64), tmp_path / "run")
    done = cli("train", "--resume", "run", "--steps", 96)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "run/run.json").read_text())["steps"] == 96
    refused = cli("train", "--resume", "run", "--steps", 10)
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: steps was 96 and is now 10")
