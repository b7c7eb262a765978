"""Frames of a video: a game's screen with a caption, with heat over it, and several as one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]

SCREEN_WIDTH = 320  # pixels that a screen has at least: twice Atari's 160
BAR = 28  # pixels below a screen, for its caption
LINE = 19  # pixels from the bar's top to the text's base
FONT_SIZE = 0.42  # of OpenCV's font
HEAT = 0.6  # how much of the hottest pixel is heat; the rest of it stays screen


def enlarge(image: NDArray[np.uint8]) -> Frame:
    """Return a screen of at least `SCREEN_WIDTH` pixels, each pixel a square of pixels."""
    scale = math.ceil(SCREEN_WIDTH / image.shape[1])
    size = (scale * image.shape[1], scale * image.shape[0])
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_NEAREST), np.uint8)


def overlay(image: NDArray[np.uint8], heat: NDArray[np.float32]) -> Frame:
    """Lay a heat map over an image: the hotter, the less of the image is seen.

    Args:
        image: RGB, (height, width, 3).
        heat: Shape (H', W'), 0 or more; stretched over all of the image, bilinearly, and divided by
            its largest value, so that only places of one image compare. All zeros leave the image
            as it is.

    Returns:
        RGB, of the image's shape.
    """
    height, width = image.shape[:2]
    hottest = float(heat.max())
    scaled = heat / hottest if hottest > 0 else heat
    wide = cv2.resize(scaled.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    colours = cv2.applyColorMap((255 * wide).round().astype(np.uint8), cv2.COLORMAP_TURBO)
    share = HEAT * wide[..., None]
    mixed: Frame = (image * (1 - share) + colours[..., ::-1] * share).round().astype(np.uint8)
    return mixed


def caption(image: Frame, text: str) -> Frame:
    """Return the image with a bar below it that holds as much of a text as there is room for."""
    height, width = image.shape[:2]
    frame = np.zeros((height + BAR, width, 3), np.uint8)
    frame[:height] = image
    font, white = cv2.FONT_HERSHEY_SIMPLEX, (255, 255, 255)
    (needed, _), _ = cv2.getTextSize(text, font, FONT_SIZE, 1)
    size = min(FONT_SIZE, FONT_SIZE * (width - 12) / needed)
    cv2.putText(frame, text, (6, height + LINE), font, size, white, 1, cv2.LINE_AA)
    return frame


def side_by_side(frames: Sequence[Frame]) -> Frame:
    """Return frames, all of one size, as one picture: rows of nearly as many as there are rows."""
    columns = math.ceil(math.sqrt(len(frames)))
    rows = math.ceil(len(frames) / columns)
    height, width = frames[0].shape[:2]
    whole = np.zeros((rows * height, columns * width, 3), np.uint8)
    for place, frame in enumerate(frames):
        y, x = height * (place // columns), width * (place % columns)
        whole[y : y + height, x : x + width] = frame
    return whole
