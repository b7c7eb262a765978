"""Files that browsers play: looked at with OpenCV, and in Chromium where there is one."""

from __future__ import annotations

import base64
import sys
import time

import cv2
import numpy as np
import pytest
from browser import needs_chromium, start
from PIL import Image
from waiting import LIMIT

from coordconv_rl.agents.watch.video import check_video, write_video
from coordconv_rl.errors import InputError

PAGE = "<video id=film muted autoplay src='data:video/{kind};base64,{data}'></video>"
STATE = (
    "const film = document.getElementById('film');"
    "return [film.readyState, film.videoWidth, film.videoHeight, film.currentTime]"
)


def frames(count=30, height=61, width=80):
    for number in range(count):
        frame = np.zeros((height, width, 3), np.uint8)
        frame[:, number : number + 20, 0] = 255
        yield frame


@pytest.mark.parametrize(("name", "why"), [("a.avi", "must end in"), ("no/a.gif", "is no folder")])
def test_a_video_that_cannot_be_written_is_said_first(tmp_path, name, why):
    with pytest.raises(InputError, match=why):
        check_video(tmp_path / name)


@pytest.mark.parametrize(("suffix", "codec"), [(".webm", "vp80"), (".mp4", "h264")])
def test_a_video_holds_the_frames(tmp_path, capfd, suffix, codec):
    video = tmp_path / f"film{suffix}"
    assert write_video(video, frames()) == 30
    assert capfd.readouterr().err == ""
    film = cv2.VideoCapture(str(video))
    assert int(film.get(cv2.CAP_PROP_FRAME_COUNT)) == 30
    code = int(film.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little").decode()
    assert code.lower() in (codec, {"h264": "avc1"}.get(codec))
    for _ in range(20):
        shown, frame = film.read()
    assert shown
    assert frame.shape == (62, 80, 3)  # even, as videos need it
    red = frame[:61, :, 2].mean(0)
    assert red[22:36].min() > 150  # the bar of frame 19
    assert red[:15].max() < 60
    assert list(tmp_path.iterdir()) == [video]


def test_an_mp4_without_its_library_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(InputError, match=r"coordconv_rl\[video\]', or write a .webm$"):
        check_video(tmp_path / "film.mp4")


def test_a_gif_holds_the_frames(tmp_path):
    assert write_video(tmp_path / "film.gif", frames(3)) == 3
    with Image.open(tmp_path / "film.gif") as film:
        assert film.n_frames == 3
        assert film.size == (80, 61)


def test_a_gif_that_is_cut_says_so(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("coordconv_rl.agents.watch.video.MAX_GIF_FRAMES", 2)
    with caplog.at_level("INFO", "coordconv_rl"):
        assert write_video(tmp_path / "film.gif", frames(5)) == 2
    assert "the first 2 frames of 5" in caplog.text


def test_a_game_that_fails_leaves_no_file(tmp_path):
    def failing():
        yield from frames(2)
        raise KeyboardInterrupt

    for name in ("a.webm", "a.mp4", "a.gif"):
        with pytest.raises(KeyboardInterrupt):
            write_video(tmp_path / name, failing())
    assert not list(tmp_path.iterdir())


@needs_chromium
def test_chromium_plays_both(tmp_path):
    driver = start(tmp_path / "profile", "--autoplay-policy=no-user-gesture-required")
    try:
        for suffix in ("webm", "mp4"):
            video = tmp_path / f"film.{suffix}"
            write_video(video, frames(90))
            data = base64.b64encode(video.read_bytes()).decode()
            page = tmp_path / f"{suffix}.html"
            page.write_text(PAGE.format(kind=suffix, data=data))
            driver.get(page.as_uri())
            until = time.monotonic() + LIMIT
            while (state := driver.execute_script(STATE))[3] < 0.2 and time.monotonic() < until:
                time.sleep(0.1)
            ready, width, height, seconds = state
            assert (ready >= 2, width, height) == (True, 80, 62)
            assert seconds >= 0.2
    finally:
        driver.quit()
