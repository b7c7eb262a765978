"""Runs on a GPU: every arm, checkpoints to the processor and back, two runs at once.

`make test-gpu` runs this and all other tests that need a GPU. `GPU=cpu` in the environment puts
the processor in its place here, to try these tests themselves.
"""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch
from folders import experiment

from coordconv_rl.agents.build import build_env, build_model, choose_precision
from coordconv_rl.agents.evaluate import play
from coordconv_rl.agents.loading import load_agent
from coordconv_rl.agents.train import train_agent
from coordconv_rl.agents.training.checkpoint import list_checkpoints, load_checkpoint
from coordconv_rl.agents.training.state import restore
from coordconv_rl.arms import ARMS
from coordconv_rl.comparison.launch import compare as launch
from coordconv_rl.comparison.launch.compare import LaunchOptions
from coordconv_rl.comparison.results import read_results
from coordconv_rl.configs.schema import Evaluation
from coordconv_rl.runs import read_record

DEVICE = os.environ.get("GPU", "cuda")
pytestmark = [] if DEVICE == "cpu" else [pytest.mark.gpu]
PAIRS = [(DEVICE, "cpu"), ("cpu", DEVICE)]


@pytest.mark.parametrize("precision", ["float32", "auto"])
@pytest.mark.parametrize("algo", ["a2c", "ppo"])
@pytest.mark.parametrize("arm", [*ARMS, "coordconv-pool"])
def test_every_arm_trains_and_plays(tmp_path, small_run, arm, algo, precision):
    record = train_agent(
        small_run(algo, arm=arm, precision=precision, device=DEVICE, steps=64), tmp_path
    )
    assert (record["status"], record["device"]) == ("done", DEVICE)
    model, config, step = load_agent(tmp_path)
    assert (step, model.policy.device.type) == (64, DEVICE)
    assert all(torch.isfinite(weight).all() for weight in model.policy.parameters())
    assert not model.policy._reasons  # the fast path
    assert play(model, config, 1, greedy=False, seed=7) == play(
        model, config, 1, greedy=False, seed=7
    )


@pytest.mark.parametrize("algo", ["a2c", "ppo"])
@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_a_checkpoint_goes_on_elsewhere(tmp_path, small_run, first, second, algo):
    config = small_run(algo, device=first, precision="float32", steps=64)
    train_agent(config, tmp_path)
    here, _, _ = load_agent(tmp_path)
    there, moved, _ = load_agent(tmp_path, device=second)
    assert (here.device.type, there.device.type) == (first, second)
    weights = zip(here.policy.parameters(), there.policy.parameters(), strict=True)
    assert all(torch.equal(one.cpu(), other.cpu()) for one, other in weights)
    shown = np.random.default_rng(0).integers(256, size=(5, 4, 84, 84), dtype=np.uint8)
    values = [
        model.policy.predict_values(model.policy.obs_to_tensor(shown)[0]) for model in (here, there)
    ]
    torch.testing.assert_close(values[0].cpu(), values[1].cpu(), rtol=1e-2, atol=1e-2)  # TF32

    env = build_env(moved)
    model = build_model(moved, env, choose_precision(moved))
    restore(model, env, load_checkpoint(list_checkpoints(tmp_path)[0]))
    model.learn(64, reset_num_timesteps=False)
    env.close()
    assert model.num_timesteps == 128
    assert all(torch.isfinite(weight).all() for weight in model.policy.parameters())


def test_two_runs_share_a_gpu(tmp_path):
    small = experiment(
        algos=("ppo",),
        arms=("cnn", "coordconv"),
        games=("Breakout",),
        seeds=(0, 1),
        steps=640,
        overrides={"ppo": {"n_envs": 2, "n_steps": 32, "batch_size": 32, "n_epochs": 1}},
        evaluation=Evaluation(episodes=1, greedy=False),
        device=DEVICE,
    )
    assert launch.run_comparison(small, tmp_path, jobs=2, options=LaunchOptions(retries=0)) == 0
    runs = read_results(tmp_path).runs
    assert [(run.status, run.step) for run in runs] == [("done", 640)] * 4
    records = [read_record(path.parent) for path in tmp_path.rglob("run.json")]
    assert [record["device"] for record in records] == [DEVICE] * 4
