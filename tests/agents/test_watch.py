from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from coordconv_rl.agents import watch
from coordconv_rl.agents.watch import BAR, watch_game
from coordconv_rl.errors import InputError


@pytest.mark.parametrize(
    ("name", "why"), [("film.avi", "must end in"), ("none/film.gif", "is no folder")]
)
def test_a_video_that_cannot_be_written_is_said_first(tmp_path, name, why):
    with pytest.raises(InputError, match=why):
        watch_game(tmp_path, tmp_path / name)


def test_frames_have_a_bar_with_the_score_below_the_game(small_run):
    image = np.full((210, 160, 3), 9, np.uint8)
    frame = watch._caption(image, small_run(), 7.0)
    assert frame.shape == (2 * 210 + BAR, 2 * 160, 3)
    assert (frame[:420] == 9).all()
    assert frame[420:].any()
    assert not np.array_equal(frame, watch._caption(image, small_run(), 8.0))


def test_a_gif_holds_the_frames_and_returns_the_last_score(tmp_path):
    frames = [(np.full((20, 20, 3), 80 * i, np.uint8), float(i)) for i in range(3)]
    assert watch._write_gif(tmp_path / "film.gif", iter(frames)) == 2.0
    with Image.open(tmp_path / "film.gif") as film:
        assert film.n_frames == 3
