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
_LUMINANCE = 0.2  # contrast 4.2 with white, 3.8 with the dark page of a report
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


def _own_colour(hue: float) -> str:
    """Return a colour of a hue, of 0 to 1, that is read on a white page and on a dark one.

    At one lightness blue is dark and yellow is bright, so the lightness is what gives it the
    relative luminance (WCAG 2.2) of `_LUMINANCE`.
    """
    colours = (hls_to_rgb(hue, lightness / 100, 0.65) for lightness in range(20, 80))
    return to_hex(next(colour for colour in colours if luminance(colour) >= _LUMINANCE))


def luminance(colour: tuple[float, float, float]) -> float:
    """Return the relative luminance, 0 to 1, of a colour in sRGB, each part of 0 to 1."""
    parts = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour)
    return sum(part * weight for part, weight in zip(parts, (0.2126, 0.7152, 0.0722), strict=True))


@lru_cache(maxsize=256)
def arm_look(label: str) -> ArmLook:
    """Return an arm's look, the same in every figure.

    The built-in arms keep their colour whatever backbone or head stands behind them. An arm with a
    name of its own gets a colour by that name.
    """
    try:
        arm = get_arm(label)
    except InputError:
        return ArmLook(_own_colour(zlib.crc32(label.encode()) / 2**32))
    colour = _COLOURS[replace(arm, backbone=None, head=None).label]
    line = _LINES.get(arm.head, "-") if arm.backbone is None else _NAMED_BACKBONE
    return ArmLook(colour, line)
