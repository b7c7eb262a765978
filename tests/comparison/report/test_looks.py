"""How arms look: a hue for what they see, a style of lines for their head."""

from __future__ import annotations

from matplotlib.colors import to_rgb

from coordconv_rl.arms import ARMS
from coordconv_rl.comparison.report.looks import arm_look, luminance


def test_every_arm_has_a_colour_of_its_own_and_always_the_same():
    colours = [arm_look(arm).colour for arm in (*ARMS, "my-own")]
    assert len(set(colours)) == 7
    assert arm_look("my-own").colour == colours[-1]


def test_an_arm_keeps_its_hue_and_each_head_has_its_line():
    flat, pooled, softmax, other = (
        arm_look(f"coordconv{tail}") for tail in ("", "-pool", "-spatial-softmax", "-impala")
    )
    assert flat.colour == pooled.colour == softmax.colour == other.colour
    assert len({look.line for look in (flat, pooled, softmax, other)}) == 4
    assert arm_look("cnn-pool").line == pooled.line


def test_an_own_arms_colour_is_read_on_a_white_and_on_a_dark_page():
    assert luminance(to_rgb("#fff")) == 1
    for colour, known in {
        "#f00": 0.2126,
        "#0f0": 0.7152,
        "#00f": 0.0722,
        "#808080": 0.2159,
    }.items():
        assert round(luminance(to_rgb(colour)), 4) == known  # what follows is judged by it
    assert round(luminance(to_rgb("#1d2228")), 3) == 0.016  # a figure's ground in the dark report
    for name in map("arm-{}".format, range(64)):
        own = luminance(to_rgb(arm_look(name).colour))
        assert 1.05 / (own + 0.05) > 3, name  # WCAG 2.2 for lines and marks
        assert (own + 0.05) / (0.016 + 0.05) > 3, name
