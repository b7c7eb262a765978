"""Files in MNIST's format."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

from coordconv_rl.studies.tasks.digits import MNIST_FILES


def write_idx(path: Path, values: npt.ArrayLike) -> None:
    """Write an idx file of bytes."""
    values = np.asarray(values, dtype=np.uint8)
    head = struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape)
    path.write_bytes(head + values.tobytes())


def write_mnist(folder: Path) -> None:
    """Write twelve training digits and three test digits of 28x28 pixels, each of one grey."""
    for name, count, first in zip(MNIST_FILES, (12, 12, 3, 3), (0, 0, 100, 100), strict=True):
        numbers = np.arange(first, first + count)
        is_image = "images" in name
        values = numbers[:, None, None] + np.zeros((28, 28)) if is_image else numbers
        write_idx(folder / name, values)
