"""What is done with a trained agent: evaluating, watching, exchanging it with SB3."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from PIL import Image
from stable_baselines3 import A2C, PPO

from coordconv_rl.agents.loading import load_agent
from coordconv_rl.agents.sb3_zip import export_sb3, import_sb3
from coordconv_rl.agents.train import train_agent
from coordconv_rl.agents.watch.film import Film, film_frames
from coordconv_rl.agents.watch.video import write_video
from coordconv_rl.cli.main import main
from coordconv_rl.configs.load import preset
from coordconv_rl.configs.schema import Evaluation, RunConfig
from coordconv_rl.errors import InputError


def trained(folder, algo):
    """Leave a short run in the folder; its agent still plays at random, so its games are short."""
    settings = {"n_envs": 2, "n_steps": 16}
    if algo == "ppo":
        settings |= {"batch_size": 16, "n_epochs": 1}
    config = RunConfig(
        algo=algo,
        game="Breakout",
        arm="coordconv-r",
        seed=3,
        steps=64,
        hyperparameters=preset(algo, settings),
        evaluation=Evaluation(episodes=0),
    )
    train_agent(config, folder)
    return folder


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("run"), "ppo")


@pytest.mark.parametrize("algo", ["a2c", "ppo"])
def test_stock_sb3_opens_the_export_and_acts_the_same(algo, tmp_path):
    folder = trained(tmp_path / "run", algo)
    file = export_sb3(folder, tmp_path / "agent.zip")
    ours, config, _ = load_agent(folder)
    stock = {"a2c": A2C, "ppo": PPO}[config.algo].load(file)
    images = np.random.default_rng(0).integers(0, 256, (9, 4, 84, 84), dtype=np.uint8)
    expected, _ = ours.predict(images, deterministic=True)
    assert np.array_equal(stock.predict(images, deterministic=True)[0], expected)
    trusted = import_sb3(file, config.algo, trust_pickle=True)
    assert np.array_equal(trusted.predict(images, deterministic=True)[0], expected)
    assert sorted(tmp_path.iterdir()) == [file, folder]


def test_zip_needs_trust(run_folder, tmp_path):
    file = export_sb3(run_folder, tmp_path / "agent.zip")
    with pytest.raises(InputError, match="--trust-pickle"):
        import_sb3(file, "ppo", trust_pickle=False)
    file.write_bytes(b"no zip")
    with pytest.raises(InputError, match="no zip"):
        import_sb3(file, "ppo", trust_pickle=True)


def test_evaluate_command_writes_what_it_prints(run_folder, capsys):
    assert main(["evaluate", str(run_folder), "--episodes", "1", "--seed", "9"]) == 0
    printed = capsys.readouterr().out
    assert not (run_folder / "evaluation.json").exists()  # the run's own, which has none
    (path,) = (run_folder / "evaluations").iterdir()
    found = json.loads(path.read_text())
    assert (found["episodes"], found["seed"], found["step"]) == (1, 9, 64)
    for name in ("stochastic", "greedy"):
        assert len(found[name]["scores"]) == 1
        assert f"{found[name]['mean']:.2f}" in printed
        assert found[name]["human_normalised"] == pytest.approx((found[name]["mean"] - 1.7) / 28.8)


def test_video_shows_the_game(run_folder, tmp_path):
    model, config, _ = load_agent(run_folder)
    frames = list(itertools.islice(film_frames(model, config, Film(seed=5), {}), 40))
    assert write_video(tmp_path / "game.gif", iter(frames)) == 40
    image = Image.open(tmp_path / "game.gif")
    assert 30 < image.n_frames <= 40  # frames that are alike become one that is shown longer
    assert image.size == (320, 448)
    assert {frame.shape for frame in frames} == {(2 * 210 + 28, 320, 3)}
    assert frames[0][:420].std() > 10
    assert (frames[0] != frames[-1])[:420].any()


def test_video_that_cannot_be_written(run_folder, tmp_path, capsys):
    words = ["watch", str(run_folder), "--video", str(tmp_path / "none" / "game.mp4")]
    assert main(words) == 2
    assert "is no folder" in capsys.readouterr().err
