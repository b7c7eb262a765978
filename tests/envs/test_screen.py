"""The grey image equals what OpenCV draws from RGB frames, whatever changed before."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from coordconv_rl.envs.screen import SCREEN_SIZE, Screen, palette


def drawn_by_opencv(pair, standard, size=SCREEN_SIZE):
    colours = palette(standard)
    grey = cv2.cvtColor(np.maximum(colours[pair[0]], colours[pair[1]]), cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, (size, size), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize(
    ("height", "size"),
    [(210, 84), (220, 84), (230, 84), (250, 84), (210, 42), (210, 168), (250, 100), (210, 210)],
)
def test_any_change_is_drawn(height, size):
    screen, rng = Screen(height, 160, size), np.random.default_rng(height)
    image = np.zeros((size, size), np.uint8)
    for step in range(30):
        for frame in screen.frames:
            top, left = rng.integers(height - 8), rng.integers(152)
            frame[top : top + 8, left : left + 8] = rng.integers(256)
        if step % 3 == 0:
            screen.frames[1] = screen.frames[0]
        screen.draw(screen.frames, image)
        np.testing.assert_array_equal(image, drawn_by_opencv(screen.frames, screen.standard, size))


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.uint8])
def test_images_of_another_type_or_layout_are_filled_too(dtype):
    """OpenCV would write nothing into these: the destinations that it gets are our own."""
    screen = Screen(210, 160)
    screen.frames[:, 50:90] = 0x46
    image = np.ones((SCREEN_SIZE, SCREEN_SIZE * 2), dtype)[:, ::2]
    screen.draw(screen.frames, image)
    np.testing.assert_array_equal(image, drawn_by_opencv(screen.frames, "ntsc"))
    assert image.max() > 0


def test_opencvs_own_destinations_are_the_ones_written():
    screen = Screen(210, 160)
    grey, image = screen._grey, screen._image
    assert (grey.dtype, image.dtype) == (np.uint8, np.uint8)
    for lines in (slice(0, 5), slice(100, 205)):  # a band, and several
        assert grey[lines].flags.c_contiguous
    screen.frames[:, 100:110] = 0x1E
    screen.draw(screen.frames, np.empty((SCREEN_SIZE, SCREEN_SIZE), np.uint8))
    assert grey is screen._grey
    assert grey[100:110].min() > 0
    assert image.any()


def test_an_interrupted_drawing_is_done_again(monkeypatch):
    """Ctrl-C in the middle of a drawing, and then the screen of before."""
    screen, image = Screen(210, 160), np.zeros((SCREEN_SIZE, SCREEN_SIZE), np.uint8)
    resize = cv2.resize

    def interrupt(*arguments, **options):
        resize(*arguments, **options)
        raise KeyboardInterrupt

    screen.frames[:] = 0x46
    with monkeypatch.context() as patch:
        patch.setattr(cv2, "resize", interrupt)
        with pytest.raises(KeyboardInterrupt):
            screen.draw(screen.frames, image)
    screen.frames[:] = 0
    screen.draw(screen.frames, image)
    np.testing.assert_array_equal(image, drawn_by_opencv(screen.frames, "ntsc"))
