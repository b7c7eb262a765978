from __future__ import annotations

import numpy as np

from coordconv_rl.agents.watch.frames import BAR, caption, enlarge, overlay, side_by_side

GREY = np.full((20, 30, 3), 90, np.uint8)


def test_screens_are_made_wide_enough_to_be_seen():
    assert enlarge(np.zeros((210, 160, 3), np.uint8)).shape == (420, 320, 3)
    assert enlarge(np.zeros((400, 600, 3), np.uint8)).shape == (400, 600, 3)
    corner = np.zeros((10, 10, 3), np.uint8)
    corner[0, 0] = 255
    large = enlarge(corner)
    assert large.shape == (320, 320, 3)
    assert (large[:32, :32] == 255).all()
    assert large.sum() == 255 * 32 * 32 * 3


def test_heat_colours_where_it_is_and_nothing_else():
    heat = np.zeros((2, 3), np.float32)
    heat[0, 0] = 5.0
    found = overlay(GREY, heat)
    assert np.array_equal(found[-5:, -10:], GREY[-5:, -10:])
    red, green, blue = found[0, 0].astype(int)
    assert red > green + 20 > blue  # the hottest of "turbo" is red
    assert np.array_equal(overlay(GREY, 0 * heat), GREY)
    assert np.array_equal(overlay(GREY, heat), overlay(GREY, 100 * heat))


def test_a_caption_is_below_the_screen_and_fits():
    frame = caption(GREY.repeat(10, 1), "score 7")
    assert frame.shape == (20 + BAR, 300, 3)
    assert (frame[:20] == 90).all()
    assert frame[20:].any()
    long = caption(GREY.repeat(10, 1), "a very long name of a game " * 3)
    assert not long[20:, -4:].any()


def test_frames_fill_rows():
    frames = [np.full((4, 6, 3), value, np.uint8) for value in (1, 2, 3)]
    whole = side_by_side(frames)
    assert whole.shape == (8, 12, 3)
    assert [whole[0, 0, 0], whole[0, 6, 0], whole[4, 0, 0], whole[4, 6, 0]] == [1, 2, 3, 0]
    assert np.array_equal(side_by_side(frames[:1]), frames[0])
