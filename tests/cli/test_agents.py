"""Commands about a trained agent, as typed: export-sb3, and --device of all that open one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO

from coordconv_rl.agents import load_agent, train_agent
from coordconv_rl.cli.main import main

IMAGES = np.random.default_rng(0).integers(0, 256, (9, 4, 84, 84), dtype=np.uint8)
SMALL = {"game": "Freeway", "steps": 64}  # a game whose episodes are short

# What somebody runs who has SB3, and has never heard of this package.
STRANGER = """
import sys

import numpy as np

sys.modules["coordconv_rl"] = None  # importing it fails, as where it is not installed
import stable_baselines3

images, *files = sys.argv[1:]
for file, algo in zip(files, ("PPO", "A2C"), strict=True):
    model = getattr(stable_baselines3, algo).load(file, device="cpu")
    types = [type(model.policy), model.policy.features_extractor_class, model.rollout_buffer_class]
    assert all(kind.__module__.startswith("stable_baselines3.") for kind in types), types
    actions, _ = model.predict(np.load(images), deterministic=True)
    print(model.num_timesteps, model.n_steps, type(model.policy.optimizer).__name__, *actions)
"""


def run_stranger(tmp_path: Path, files: list[Path]) -> list[list[str]]:
    """Return the words that a stranger prints of a PPO agent's zip and of an A2C agent's."""
    images = tmp_path / "images.npy"
    np.save(images, IMAGES)
    command = [sys.executable, "-c", STRANGER, str(images), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    return [line.split() for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def coordconv(tmp_path_factory, small_run):
    """A trained agent of the arm coordconv, which remembers that it was trained on a GPU."""
    folder = tmp_path_factory.mktemp("coordconv")
    train_agent(small_run(**SMALL), folder)
    config = folder / "config.yaml"
    config.write_text(config.read_text().replace("device: cpu", "device: cuda:63"))
    return folder


def test_zips_of_the_baseline_open_without_this_package(capsys, tmp_path, small_run):
    files = []
    for algo in ("ppo", "a2c"):
        train_agent(small_run(algo, arm="cnn", **SMALL), tmp_path / algo)
        files.append(tmp_path / f"{algo}.zip")
        assert main(["export-sb3", str(tmp_path / algo), str(files[-1])]) == 0
        assert capsys.readouterr().out == f"SB3 opens {files[-1]}\n"
    lines = run_stranger(tmp_path, files)
    for algo, optimizer, line in zip(("ppo", "a2c"), ("Adam", "RMSpropTFLike"), lines, strict=True):
        steps, n_steps, kind, *actions = line
        model, _, _ = load_agent(tmp_path / algo)
        assert (steps, n_steps, kind) == ("64", "16", optimizer)
        assert [*map(int, actions)] == model.predict(IMAGES, deterministic=True)[0].tolist()


def test_a_zip_of_another_arm_knows_its_steps(tmp_path, coordconv):
    file = tmp_path / "agent.zip"
    assert main(["export-sb3", str(coordconv), str(file)]) == 0
    stock = PPO.load(file)
    ours, _, _ = load_agent(coordconv)
    assert stock.num_timesteps == 64
    expected = ours.predict(IMAGES, deterministic=True)[0]
    assert np.array_equal(stock.predict(IMAGES, deterministic=True)[0], expected)


@pytest.mark.parametrize("device", [None, "cpu"])
def test_a_gpus_agent_opens_on_a_laptop(coordconv, caplog, device):
    with caplog.at_level("INFO", "coordconv_rl"):
        model, config, _ = load_agent(coordconv, device=device)
    assert (model.device.type, config.device) == ("cpu", "cpu")
    said = "cuda:63 is not there: the agent opens on the processor"
    assert (said in caplog.text) == (device is None)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the device")
@pytest.mark.parametrize("words", [["evaluate"], ["watch", "--video", "a.gif"], ["inspect"]])
@pytest.mark.parametrize(("device", "said"), [("cuda", "torch sees 0"), ("tpu", "cpu, cuda or")])
def test_a_device_that_is_not_there_is_refused(
    coordconv, monkeypatch, tmp_path, capsys, words, device, said
):
    monkeypatch.chdir(tmp_path)
    assert main([words[0], str(coordconv), *words[1:], "--device", device]) == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert printed.count("\n") == 1
    assert not any(tmp_path.iterdir())
