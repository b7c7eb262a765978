"""TensorBoard for studies: curves of each training, and the pictures and table of the whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch.utils.tensorboard import SummaryWriter

from coordconv_rl.studies.tasks import Measure
from coordconv_rl.studies.training.records import Point


class Board:
    """A TensorBoard run in a folder; to be closed.

    Args:
        folder: Where the events go.
        purge_step: Hide events of an earlier attempt from this step on; none keeps all.
    """

    def __init__(self, folder: Path, purge_step: int | None = None) -> None:
        self._writer = SummaryWriter(str(folder), purge_step=purge_step)

    def close(self) -> None:
        """Write what is left and close the file."""
        self._writer.close()

    def point(self, measure: Measure, point: Point) -> None:
        """Add an evaluation, by training step."""
        values = {
            f"{measure.name}/train": point.train,
            f"{measure.name}/test": point.test,
            "training/loss": point.loss,
            "training/seconds": point.seconds,
        }
        for tag, value in values.items():
            self._writer.add_scalar(tag, value, point.step)

    def picture(self, tag: str, image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
        """Add an image of shape (height, width, 3), uint8."""
        self._writer.add_image(tag, image, 0, dataformats="HWC")

    def table(self, tag: str, markdown: str) -> None:
        """Add a table, written in Markdown."""
        self._writer.add_text(tag, markdown, 0)
