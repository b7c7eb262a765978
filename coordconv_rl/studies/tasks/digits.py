"""Pictures of handwritten digits, in three parts that share none: scikit-learn's, or MNIST's.

scikit-learn brings 1,797 digits of 8x8 pixels with it (extra `studies`), so that nothing has to be
downloaded. MNIST's 70,000 of 28x28 are read where a folder holds its four files.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from coordconv_rl.errors import InputError

MNIST_FILES = tuple(
    f"{part}-{kind}"
    for part in ("train", "t10k")
    for kind in ("images-idx3-ubyte", "labels-idx1-ubyte")
)
UNSIGNED_BYTES = 8  # the type's code in an idx file's third byte
HELD_OUT = 10_000  # of MNIST's 60,000 training digits, for the validation


class Digits(NamedTuple):
    """Digits of 0 to 1, float32, each of shape (n, height, width)."""

    train: Tensor
    validation: Tensor
    test: Tensor


def read_idx(path: Path) -> npt.NDArray[np.uint8]:
    """Read a file of the idx format, as MNIST has it (yann.lecun.com/exdb/mnist), packed or not.

    Raises:
        InputError: There is no such file, or it is damaged or holds no bytes.
    """
    packed = path.with_name(path.name + ".gz")
    try:
        data = path.read_bytes() if path.exists() else gzip.decompress(packed.read_bytes())
        zeros, kind, axes = struct.unpack_from(">HBB", data)
        shape = struct.unpack_from(f">{axes}I", data, 4)
        values = np.frombuffer(data, np.uint8, offset=4 + 4 * axes)
        if (zeros, kind) != (0, UNSIGNED_BYTES):
            raise ValueError("no idx file of bytes")
        return values.reshape(shape)
    except (OSError, EOFError, ValueError, struct.error, zlib.error) as error:
        raise InputError(
            f"{path} cannot be read ({error}): it must be one of MNIST's files "
            f"{', '.join(MNIST_FILES)}, as they are or with .gz"
        ) from error


def read_mnist(folder: Path) -> Digits:
    """Read MNIST's four files; the last 10,000 training digits are the validation part.

    Raises:
        InputError: A file is missing or damaged, or images and labels differ in number.
    """
    images, labels, test, test_labels = (read_idx(folder / name) for name in MNIST_FILES)
    for some, their in ((images, labels), (test, test_labels)):
        if some.ndim != 3 or len(some) != len(their):
            raise InputError(f"{folder}: images of shape {some.shape}, but {len(their)} labels")
    held = min(HELD_OUT, len(images) // 6)
    parts = (images[:-held], images[-held:], test)
    return Digits(*(torch.from_numpy(part / np.float32(255)) for part in parts))


def bundled_digits(seed: int) -> Digits:
    """Split scikit-learn's digits at random: 3 fifths to train, one each for the other parts.

    Raises:
        InputError: scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise InputError(
            "the digits come with scikit-learn, which is not installed: "
            'pip install "coordconv_rl[studies]", or --mnist FOLDER with MNIST\'s four files'
        ) from error
    images = torch.from_numpy(load_digits().images).float() / 16  # their brightest pixel
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    fifth = len(images) // 5
    validation, test, train = order[:fifth], order[fifth : 2 * fifth], order[2 * fifth :]
    return Digits(images[train], images[validation], images[test])
