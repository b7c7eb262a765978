"""The arrays that environments write into, in one block of memory that processes can share."""

from __future__ import annotations

import mmap
import os
import tempfile
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

STACK = 4  # images that an agent sees at once


@dataclass(frozen=True)
class SharedArrays:
    """Views of one block of memory; the first axis of each is the environment.

    Attributes:
        actions: (n,) int64, what to do next.
        rewards: (n,) float32, of the last step.
        dones: (n,) bool, whether the last step ended an episode.
        counters: (n, 3) int64: lives, frames of this game, frames since the ROM was loaded, all
            before the reset that follows the end of an episode.
        stacks: (n, 4, size, size) uint8, the last four images, oldest first.
    """

    actions: NDArray[np.int64]
    rewards: NDArray[np.float32]
    dones: NDArray[np.bool_]
    counters: NDArray[np.int64]
    stacks: NDArray[np.uint8]

    @staticmethod
    def over(memory: mmap.mmap | bytearray, n: int, size: int) -> SharedArrays:
        """Lay the arrays of n environments with images of a side out over the memory."""
        offset = 0
        views: list[NDArray[Any]] = []
        for dtype, shape in _layout(n, size):
            count = int(np.prod(shape))
            views.append(np.frombuffer(memory, dtype, count, offset).reshape(shape))
            offset += -(-views[-1].nbytes // 64) * 64
        return SharedArrays(*views)

    def part(self, start: int, stop: int) -> SharedArrays:
        """Return views of the environments from `start` up to `stop`."""
        chosen = slice(start, stop)
        return SharedArrays(
            self.actions[chosen],
            self.rewards[chosen],
            self.dones[chosen],
            self.counters[chosen],
            self.stacks[chosen],
        )


def _layout(n: int, size: int) -> list[tuple[type[np.generic], tuple[int, ...]]]:
    return [
        (np.int64, (n,)),
        (np.float32, (n,)),
        (np.bool_, (n,)),
        (np.int64, (n, 3)),
        (np.uint8, (n, STACK, size, size)),
    ]


def size_in_bytes(n: int, size: int) -> int:
    """Return the size of the memory for n environments with images of a side.

    Each array starts at a cache line.
    """
    return sum(
        -(-int(np.prod(shape)) * np.dtype(dtype).itemsize // 64) * 64
        for dtype, shape in _layout(n, size)
    )


def shared_file(n: int, size: int) -> int:
    """Make zeroed memory without a name for n environments with images of a side.

    Returns:
        Its file descriptor.

    Having no name, it is gone with the last process that holds it, however that process ends.
    """
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("coordconv_rl")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, size_in_bytes(n, size))
    return descriptor
