"""Films of real games: the games of an evaluation, in one picture or one after another."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from small_agent import train_small

from coordconv_rl.agents.evaluate import play
from coordconv_rl.agents.loading import load_agent
from coordconv_rl.agents.watch.film import Film, film_frames, watch_games
from coordconv_rl.agents.watch.frames import BAR
from coordconv_rl.errors import InputError


@pytest.fixture(scope="module")
def agent(tmp_path_factory):
    model, config, _ = load_agent(train_small(tmp_path_factory.mktemp("run")))
    return model, config


def length(video):
    return int(cv2.VideoCapture(str(video)).get(cv2.CAP_PROP_FRAME_COUNT))


def test_the_games_are_those_of_an_evaluation_and_as_long(agent, tmp_path):
    model, config = agent
    expected = play(model, config, 3, greedy=False, seed=7)
    one, three = tmp_path / "one.webm", tmp_path / "three.webm"
    assert watch_games(model, config, one, Film(3, seed=7)) == expected
    assert watch_games(model, config, three, Film(3, side_by_side=True, seed=7)) == expected
    frame = cv2.VideoCapture(str(three)).read()[1]
    assert frame.shape == (2 * (320 + BAR), 2 * 320, 3)
    assert length(three) < length(one)
    with pytest.raises(InputError, match="1 to 64 games"):
        watch_games(model, config, one, Film(0))


def test_heat_is_over_the_screens_of_games_that_go_on(agent):
    model, config = agent
    seen = {}
    for heat in (False, True):
        frames = film_frames(model, config, Film(2, True, grad_cam=heat, seed=7), {})
        seen[heat] = [frame for _, frame in zip(range(12), frames, strict=False)]
    changed = np.abs(np.subtract(seen[True], seen[False], dtype=int)).max((0, 3))
    assert not changed[320:].any()  # captions
    assert min(changed[:320, :320].max(), changed[:320, 320:].max()) > 40
