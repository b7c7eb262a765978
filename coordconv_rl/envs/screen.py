"""Two screens of the emulator to one grey image of 84x84."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


class Screen:
    """Draws images as OpenCV does: grey of the maximum of two RGB frames, then INTER_AREA."""

    def __init__(self, height: int, width: int) -> None:
        self.frames = np.zeros((2, height, width, 3), np.uint8)
        self.last = np.zeros((height, width, 3), np.uint8)

    def draw_pair(self, image: Image) -> None:
        """Draw the maximum of the two frames into `image`, 84x84."""
        self._draw(cv2.max(self.frames[0], self.frames[1]), image)

    def draw_last(self, image: Image) -> None:
        """Draw the frame after a reset into `image`, 84x84."""
        self._draw(self.last, image)

    def _draw(self, frame: Image, image: Image) -> None:
        grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        cv2.resize(grey, (84, 84), dst=image, interpolation=cv2.INTER_AREA)
