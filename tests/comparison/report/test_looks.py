"""How arms look: a hue for what they see, a style of lines for their head."""

from __future__ import annotations

from coordconv_rl.arms import ARMS
from coordconv_rl.comparison.report.looks import arm_look


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
