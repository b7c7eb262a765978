"""Two screens of the emulator to one square grey image, as OpenCV draws it from RGB frames.

A screen is one palette index for each pixel, so the grey of the maximum of two RGB frames is an
entry of a 256x256 table. Most of a screen stays as it was, so of images of the usual size, 84x84,
only bands that changed are redrawn; others are drawn whole.
"""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from coordconv_rl.envs.games import SCREEN_SIZE

Bytes = NDArray[np.uint8]

PAL_HEIGHT = 250  # lines that ALE shows of PAL cartridges; NTSC ones have 210 to 230
# From 210 lines to 84, two lines of the image are exactly five of the screen: a band of five lines
# needs no other lines, and INTER_AREA's weights (1, 1, 1/2) have no rounding error anywhere.
BANDED, BAND_LINES = (210, SCREEN_SIZE), 5
MERGED_GAP = 4  # Measured: starting a run costs as much as drawing four or five bands.


@lru_cache(maxsize=2)
def palette(standard: str) -> Bytes:
    """Return the colours of a television standard, (256, 3) RGB.

    The even indices are those of ALE's `ColourPalette.cpp` (Stella's tables); an odd index is the
    even one below it without colour, its luma.

    Args:
        standard: "ntsc" or "pal".
    """
    with Path(__file__).with_name("palettes.csv").open(newline="") as file:
        colours = [bytes.fromhex(row[standard]) for row in csv.DictReader(file)]
    table = np.empty((256, 3), np.uint8)
    table[::2] = np.frombuffer(b"".join(colours), np.uint8).reshape(128, 3)
    luma = table[::2] @ np.array([0.2989, 0.587, 0.114])
    table[1::2] = np.rint(luma).astype(np.uint8)[:, None]
    return table


@lru_cache(maxsize=2)
def _grey_of_pairs(standard: str) -> Bytes:
    """Return the grey of the maximum of any two colours, (256, 256)."""
    colours = palette(standard)
    brightest = np.maximum(colours[:, None], colours[None])
    return np.asarray(cv2.cvtColor(brightest, cv2.COLOR_RGB2GRAY), np.uint8)


class Screen:
    """Draws an emulator's screens; remembers the last two drawn to redraw only what changed.

    Args:
        height: Lines of a screen.
        width: Pixels of a line.
        size: Side of the image in pixels.

    Attributes:
        frames: (2, height, width) uint8, the screens of the last two frames of an action.
        single: (2, height, width) uint8, the screen after a reset, twice.
    """

    def __init__(self, height: int, width: int, size: int = SCREEN_SIZE) -> None:
        """Make the tables, and draw a black screen."""
        self._size = size
        self.standard = "pal" if height == PAL_HEIGHT else "ntsc"
        self._pairs = _grey_of_pairs(self.standard)
        self._same = self._pairs.diagonal().copy()
        self.frames = np.zeros((2, height, width), np.uint8)
        self.single = np.zeros((2, height, width), np.uint8)
        self._lines = BAND_LINES if (height, size) == BANDED else height
        self._image_lines = size * self._lines // height
        self._grey = np.empty((height, width), np.uint8)
        self._image = np.empty((size, size), np.uint8)
        self._drawn = np.zeros((2, height, width), np.uint8)
        bands = height // self._lines
        self._words = {
            id(pair): pair.reshape(-1).view(np.uint64).reshape(2, bands, -1)
            for pair in (self.frames, self.single, self._drawn)
        }
        self._interrupted = False
        self._differs = np.empty(self._words[id(self._drawn)].shape, np.bool_)
        self._redraw(self._drawn, 0, bands)

    def colours(self, screen: Bytes) -> Bytes:
        """Return the RGB frame (height, width, 3) of a screen of palette indices."""
        return palette(self.standard)[screen]

    def draw(self, pair: Bytes, image: Bytes) -> None:
        """Draw the maximum of two screens.

        Args:
            pair: `frames` or `single`.
            image: (size, size) uint8, written.
        """
        words, drawn = self._words[id(pair)], self._words[id(self._drawn)]
        np.not_equal(words, drawn, out=self._differs)
        changed = np.logical_or.reduce(self._differs, axis=(0, 2))
        if self._interrupted:  # Ctrl-C came while it drew: nobody knows which bands are new.
            changed[:] = True
        self._interrupted = True
        for first, stop in _runs(changed.nonzero()[0].tolist()):
            self._redraw(pair, first, stop)
        image[:] = self._image
        self._interrupted = False

    def _redraw(self, pair: Bytes, first: int, stop: int) -> None:
        """Draw the bands from `first` up to `stop`."""
        lines = slice(first * self._lines, stop * self._lines)
        both, grey = pair[:, lines], self._grey[lines]
        older, newer = both
        cv2.LUT(newer, self._same, grey)
        flat = grey.reshape(-1)
        differing = (older != newer).reshape(-1).nonzero()[0]
        if differing.size:
            older, newer = older.reshape(-1), newer.reshape(-1)
            flat[differing] = self._pairs[older[differing], newer[differing]]
        image = self._image[first * self._image_lines : stop * self._image_lines]
        cv2.resize(grey, (self._size, len(image)), dst=image, interpolation=cv2.INTER_AREA)
        self._drawn[:, lines] = both


def _runs(bands: list[int]) -> list[tuple[int, int]]:
    """Group sorted bands into runs (first, stop); those close to each other are drawn as one."""
    runs: list[tuple[int, int]] = []
    for band in bands:
        if runs and band <= runs[-1][1] + MERGED_GAP:
            runs[-1] = (runs[-1][0], band + 1)
        else:
            runs.append((band, band + 1))
    return runs
