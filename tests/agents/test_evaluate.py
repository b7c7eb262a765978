"""A run's evaluation: what it says, and that an interrupted one ends as an uninterrupted one."""

from __future__ import annotations

import json

import pytest

from coordconv_rl.agents import evaluate
from coordconv_rl.agents.build import build_env, build_model
from coordconv_rl.agents.evaluate import evaluate_model, evaluation_env, judging_seed
from coordconv_rl.agents.play import Rules
from coordconv_rl.configs import Evaluation
from coordconv_rl.configs.check import MAX_SEED


class Killed(Exception):
    """Stands for a kill in the middle of the games."""


@pytest.fixture
def agent(small_run, monkeypatch):
    short = Rules(step_frames=4, side_by_side=3, still_frames=200, longest=900)
    monkeypatch.setattr(evaluate, "rules_for", lambda *_: short)
    config = small_run(evaluation=Evaluation(episodes=2, greedy=True))
    env = build_env(config)
    yield build_model(config, env, "float32"), config
    env.close()


def test_an_interrupted_evaluation_goes_on_at_the_next_game(agent, tmp_path):
    model, config = agent
    progress = tmp_path / "evaluation.progress.jsonl"
    whole = evaluate_model(model, config)
    assert (whole["seed"], whole["episodes"], whole["still_frames"]) == (501_000, 2, 1_800)
    assert len(whole["greedy"]["scores"]) == 2
    assert whole["greedy"]["still"] == 2  # nobody presses FIRE

    def kill_after_a_game():
        if len(progress.read_text().splitlines()) > 1:
            raise Killed

    with pytest.raises(Killed):
        evaluate_model(model, config, on_step=kill_after_a_game, progress=progress)
    before = progress.read_bytes()
    ended = [json.loads(line) for line in before.splitlines()[1:]]
    assert len(ended) < 4  # games are left
    for game in ended:  # those that have stayed are the uninterrupted evaluation's
        assert whole[game["actions"]]["scores"][game["game"]] == game["score"]
    assert evaluate_model(model, config, progress=progress) == whole
    assert progress.read_bytes().startswith(before)
    assert len(progress.read_text().splitlines()) == 5


def test_no_game_judges_runs_of_two_seeds():
    games = [judging_seed(seed) + game for seed in range(20) for game in range(100)]
    assert len(set(games)) == 2_000
    assert min(games) == 500_000  # far above those of training
    assert judging_seed(MAX_SEED) + 1_000 < 2**32


def test_judging_plays_whole_games_with_scores_as_they_are(small_run):
    env = evaluation_env(small_run(), 1, seed=3)
    assert (env.settings.training, env.settings.life_loss_ends) == (False, False)
    env.close()
