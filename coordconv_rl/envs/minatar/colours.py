"""Colours of the channels, for people who watch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from coordconv_rl.envs.minatar.boards import SIDE

CELL_PIXELS = 16
# Paul Tol's "muted" scheme (personal.sron.nl/~pault), told apart by the colour-blind too.
CHANNEL_COLOURS = np.array(
    [
        (221, 221, 221), (204, 102, 119), (136, 204, 238), (221, 204, 119), (17, 119, 51),
        (170, 68, 153), (68, 170, 153), (153, 153, 51), (51, 34, 136), (136, 34, 85),
    ],
    np.uint8,
)  # fmt: skip


def board_image(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an observation (channels, 10, 10) as RGB, (160, 160, 3)."""
    shown = np.zeros((SIDE, SIDE, 3), np.uint8)
    for channel, colour in zip(image, CHANNEL_COLOURS, strict=False):
        shown[channel > 0] = colour
    return shown.repeat(CELL_PIXELS, axis=0).repeat(CELL_PIXELS, axis=1)
