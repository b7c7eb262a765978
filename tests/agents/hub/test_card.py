from __future__ import annotations

import pytest
import yaml

from coordconv_rl.agents.hub.card import card_text
from coordconv_rl.configs import new_run

pytest.importorskip("huggingface_hub", reason="the extra hub is not installed")
RUN = new_run({"game": "Breakout", "arm": "coordconv-pool", "algo": "a2c"}, "test")
SCORES = {"scores": [1.0, 2.0], "mean": 1.5, "std": 0.5}


def test_an_atari_agent_is_found_beside_sb3s():
    evaluation = {"stochastic": SCORES, "greedy": None}
    text = card_text("me/mine", RUN, 1_000, evaluation, zip_name="a2c-Breakout.zip")
    metadata = yaml.safe_load(text.split("---")[1])
    assert metadata["library_name"] == "stable-baselines3"
    assert "BreakoutNoFrameskip-v4" in metadata["tags"]
    assert "| stochastic | 2 | 1.50 | 0.50 |" in text
    assert "greedy |" not in text
    assert "`a2c-Breakout.zip`" in text
    assert "coordconv-rl load me/mine agent" in text
    assert "1,000 environment steps" in text


def test_a_card_says_the_size_of_images_that_is_not_the_usual_one():
    large = new_run({"game": "Breakout", "screen_size": 168}, "test")
    assert "protocol v4, images of 168x168 pixels)" in card_text("me/mine", large, 1_000, None)
    assert "protocol v4)" in card_text("me/mine", RUN, 1_000, None)


def test_a_card_without_scores_has_no_result():
    text = card_text("me/mine", RUN, 1_000, None)
    metadata = yaml.safe_load(text.split("---")[1])
    assert "model-index" not in metadata
    assert metadata["library_name"] == "coordconv_rl"
    assert "not evaluated" in text
    assert "--trust-code" not in text


def test_a_card_says_in_what_an_agent_was_judged_that_training_did_not_have():
    evaluation = {"stochastic": SCORES, "evaluation_kwargs": {"levels": 0}}
    assert "never used, with levels 0, which training did not have:" in card_text(
        "me/mine", RUN, 1_000, evaluation
    )
