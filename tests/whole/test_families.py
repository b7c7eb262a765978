"""Agents on games that are not Atari's, from training to everything that is done with a folder."""

from __future__ import annotations

import json

import numpy as np
import pytest

from coordconv_rl.agents import evaluate_model, load_agent, train_agent
from coordconv_rl.agents.build import build_env, build_model
from coordconv_rl.agents.evaluate import evaluation_env, rules_for
from coordconv_rl.agents.inspect import inspect_command
from coordconv_rl.agents.play import Game, play_games
from coordconv_rl.agents.training.checkpoint import load_checkpoint, save_checkpoint
from coordconv_rl.agents.training.state import capture, restore
from coordconv_rl.cli.main import main
from coordconv_rl.configs import Evaluation
from coordconv_rl.envs import ImageGame
from coordconv_rl.errors import InputError

DOTS = ImageGame("image_games:dot", {"images": "floats_first", "actions": "continuous"}, stack=2)


def states(model):
    return {name: value.clone() for name, value in model.policy.state_dict().items()}


@pytest.mark.parametrize("algo", ["ppo", "a2c"])
@pytest.mark.parametrize("game", ["minatar/seaquest", "minatar/breakout"])
def test_a_minatar_run_goes_on_exactly(small_run, tmp_path, algo, game):
    config = small_run(algo, game=game)

    def fresh():
        env = build_env(config)
        return build_model(config, env, "float32"), env

    whole, env = fresh()
    whole.learn(64)
    save_checkpoint(tmp_path / "kept", capture(whole, env, {}))
    whole.learn(64, reset_num_timesteps=False)
    again, env = fresh()
    restore(again, env, load_checkpoint(tmp_path / "kept"))
    again.learn(64, reset_num_timesteps=False)
    assert again.num_timesteps == whole.num_timesteps == 128
    for name, value in states(whole).items():
        assert (value == states(again)[name]).all(), name


def test_other_runs_go_on_with_games_not_played_before(small_run):
    config = small_run(game="dots", environment=DOTS)
    env = build_env(config)
    model = build_model(config, env, "float32")
    first = env.reset()
    model.learn(64)
    kept = capture(model, env, {})
    again_env = build_env(config)
    again = build_model(config, again_env, "float32")
    restore(again, again_env, kept)
    assert again.num_timesteps == 64
    assert not np.array_equal(again_env.reset(), first)
    again.learn(64, reset_num_timesteps=False)
    assert again.num_timesteps == 128


@pytest.mark.parametrize(
    ("changes", "frames"), [({"game": "minatar/seaquest"}, 1), ({"environment": DOTS}, 1), ({}, 4)]
)
def test_games_are_cut_after_frames_of_their_own_family(small_run, changes, frames):
    config = small_run(**{"game": "dots" if "environment" in changes else "Breakout"} | changes)
    env = evaluation_env(config, 1)
    policy = build_model(config, env, "float32").policy
    env.close()
    games = [Game(policy, number, number == 1) for number in range(3)]
    played = play_games(
        lambda count: evaluation_env(config, count),
        games,
        seed=2,
        rules=rules_for(config, len(games), longest=2 * frames),
    )
    assert [(one.frames, one.why) for one in played] == [(2 * frames, "cut")] * 3


def test_everything_that_is_done_with_a_folder(small_run, tmp_path, capsys):
    config = small_run(
        game="dots", environment=DOTS, steps=64, evaluation=Evaluation(episodes=2, greedy=False)
    )
    folder = tmp_path / config.run_id
    record = train_agent(config, folder)
    assert (record["status"], record["resumes"], record["protocol"]) == (
        "done", "with new games", "gymnasium",
    )  # fmt: skip
    with pytest.raises(InputError, match="--trust-code"):
        load_agent(folder)
    for command in ("evaluate", "inspect"):
        assert main([command, str(folder), "--episodes", "1"]) == 2
    assert "--trust-code" in capsys.readouterr().err
    model, loaded, step = load_agent(folder, trust_code=True)
    assert (loaded, step) == (config, 64)
    result = evaluate_model(model, loaded)
    assert result["stochastic"] == evaluate_model(model, loaded)["stochastic"]
    assert len(result["stochastic"]["scores"]) == 2
    assert result["stochastic"]["human_normalised"] is None
    film = ["watch", str(folder), "--video", str(tmp_path / "dots.gif"), "--grad-cam"]
    assert main(film) == 2
    assert main([*film, "--trust-code", "--episodes", "2", "--side-by-side"]) == 0
    assert inspect_command(folder, 1, trust_code=True) == 0
    assert main(["train", "--resume", str(folder)]) == 2
    assert main(["train", "--resume", str(folder), "--trust-code"]) == 0


def test_minatar_as_typed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = "train --game minatar/space_invaders --steps 64 --n-envs 2 --n-steps 16 --batch-size 16"
    assert main([*words.split(), "--episodes", "1"]) == 0
    folder = tmp_path / "runs/single/ppo/minatar-space_invaders/coordconv/seed-0"
    record = json.loads((folder / "run.json").read_text())
    assert (record["resumes"], record["protocol"]) == ("exactly", "minatar")
    assert main(["watch", str(folder), "--video", str(tmp_path / "game.gif")]) == 0
