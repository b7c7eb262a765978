"""How arms look: a hue for what they see, a style of lines for their head."""

from __future__ import annotations

import itertools
import re
from colorsys import hls_to_rgb
from pathlib import Path

import pytest
from contrast import contrast, from_hex
from matplotlib.colors import to_hex, to_rgb

from coordconv_rl.arms import ARMS
from coordconv_rl.comparison.report import looks
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


def test_luminance_is_that_of_srgb():
    known = {"#fff": 1, "#f00": 0.2126, "#0f0": 0.7152, "#00f": 0.0722, "#808080": 0.2159}
    for colour, wanted in known.items():
        assert luminance(to_rgb(colour)) == pytest.approx(wanted, abs=5e-5)


def test_an_own_arms_colour_is_read_on_the_reports_white_and_dark_grounds():
    assert contrast(from_hex("#000"), from_hex("#fff")) == pytest.approx(21)
    assert contrast(from_hex("#767676"), from_hex("#fff")) == pytest.approx(4.54, abs=0.005)
    template = (Path(looks.__file__).parent / "page.html.j2").read_text()
    grounds = re.findall(r"--(?:page|card): (#\w+);", template)
    assert len(grounds) == 4  # the page's and the figures', in both schemes

    def worst(colours):
        both = itertools.product(colours, grounds)
        return min(contrast(from_hex(one), from_hex(other)) for one, other in both)

    assert worst(arm_look(f"arm-{number}").colour for number in range(64)) > 3  # lines and marks
    one_lightness = [to_hex(hls_to_rgb(number / 64, 0.5, 0.65)) for number in range(64)]
    assert worst(one_lightness) < 2  # why luminance, and not lightness, is the same for all
