"""How an experiment was made, from its runs' records."""

from __future__ import annotations

from folders import experiment, finish
from synthetic import SMALL, make_experiment, report

from coordconv_rl.envs import ImageGame


def test_a_record_that_lacks_facts_does_no_harm(tmp_path):
    make_experiment(tmp_path, **SMALL)
    run = tmp_path / "ppo/Pong/cnn/seed-2/run.json"
    text = run.read_text().replace('"parameters": 1686693', '"parameters": null')
    run.write_text(
        text.replace('"seconds": 400.0', '"seconds": null').replace('"machine"', '"other"')
    )
    html = report(tmp_path)
    assert "unknown (1 run)" in html
    assert "1,686,693" in html


def test_a_step_is_as_many_frames_as_the_game_skips(tmp_path):
    games = {"one": ImageGame("my:one", skip=2), "other": ImageGame("my:other")}
    finish(tmp_path, experiment(algos=("ppo",), games=("one",), environments={"one": games["one"]}))
    assert "2 frames each (gymnasium)" in report(tmp_path)
    both = tmp_path / "both"
    finish(both, experiment(algos=("ppo",), games=("one", "other", "Pong"), environments=games))
    text = report(both)
    assert "1 or 2 frames each (gymnasium)" in text
    assert "4 frames each (atari)" in text


def test_a_size_of_images_that_is_not_the_usual_one_is_said(tmp_path):
    finish(tmp_path / "usual", experiment(algos=("ppo",)))
    assert "Atari images" not in report(tmp_path / "usual")
    finish(tmp_path / "large", experiment(algos=("ppo",), screen_size=168))
    text = report(tmp_path / "large")
    assert "Atari images" in text
    assert "168 pixels a side" in text


def test_games_that_agents_are_judged_in_otherwise_are_named(tmp_path):
    changed = {"levels": 0, "name": "hard"}
    games = {
        "maze": ImageGame("my:maze", {"levels": 200}, evaluation_kwargs=changed),
        "other": ImageGame("my:other"),
    }
    finish(tmp_path, experiment(algos=("ppo",), games=("maze", "other"), environments=games))
    text = report(tmp_path)
    assert "levels 0 (in training 200), name hard (in training its default)" in text
    assert "Evaluation of maze" in text
    assert "Evaluation of other" not in text
