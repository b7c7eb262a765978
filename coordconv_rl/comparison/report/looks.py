"""How an arm looks in every figure: a colour for what it sees, a style of lines for its head."""

from __future__ import annotations

import zlib
from colorsys import hls_to_rgb
from dataclasses import dataclass, replace
from functools import lru_cache

from matplotlib.colors import to_hex
from matplotlib.typing import LineStyleType

from coordconv_rl.arms import ARMS, Head, get_arm
from coordconv_rl.errors import InputError

# Okabe and Ito's palette (jfly.uni-koeln.de/color): told apart with every kind of colour vision.
_COLOURS = dict(
    zip(ARMS, ("#555555", "#D55E00", "#CC79A7", "#009E73", "#E69F00", "#0072B2"), strict=True)
)
_LINES: dict[Head | None, LineStyleType] = {
    "pool": "--",
    "spatial-softmax": "-.",
}  # dots are for gaps
_NAMED_BACKBONE: LineStyleType = (0, (6, 1, 1, 1, 1, 1))


@dataclass(frozen=True)
class ArmLook:
    """How one arm is drawn.

    Attributes:
        colour: The hue of lines, bands and bars.
        line: The style of lines.
    """

    colour: str
    line: LineStyleType = "-"


@lru_cache(maxsize=256)
def arm_look(label: str) -> ArmLook:
    """Return an arm's look, the same in every figure.

    The built-in arms keep their colour whatever backbone or head stands behind them. An arm with a
    name of its own gets a colour by that name.
    """
    try:
        arm = get_arm(label)
    except InputError:
        hue = zlib.crc32(label.encode()) / 2**32
        return ArmLook(to_hex(hls_to_rgb(hue, 0.45, 0.65)))
    colour = _COLOURS[replace(arm, backbone=None, head=None).label]
    line = _LINES.get(arm.head, "-") if arm.backbone is None else _NAMED_BACKBONE
    return ArmLook(colour, line)
