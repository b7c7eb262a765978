"""The distinct patches of a rollout's images, and of a minibatch of them.

Most of an Atari screen is the same in many images, so most of what a convolution sees in a
minibatch is there several times. Here each distinct patch gets an id; `patch_convolution` computes
it once. Each convolution's patches are made of those of the convolution below.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from coordconv_rl.fast.gate import KERNELS, STRIDES
from coordconv_rl.fast.patch_ids import (
    BLOCK,
    CHANNELS,
    Collision,
    PatchIds,
    Places,
    block_ids,
    corners,
    parts,
    window_ids,
)

WINDOWS = ((1,), (2, 1), (1, 1))
"""For each convolution, the strides of successive 2x2 merges that build its patch.

One at stride 1 joins 4x4 blocks to 8x8 pixels; then 2, 1 give 4x4 at stride 2; 1, 1 give 3x3 at
stride 1.
"""

SMALLEST = 36  # pixels, for which the third convolution has one patch

_log = logging.getLogger(__name__)

Ids = NDArray[np.int32]

Limits: TypeAlias = tuple[float, float, float]
"""The share of distinct patches, of each convolution, above which plain ones are faster."""

EAGER: Limits = (0.45, 0.7, 0.7)
"""Measured with bfloat16 on one thread."""

WARY: Limits = (0.3, 0.51, 0.45)
"""Measured with two threads, and float32 where MKL is slow: plain convolutions gain by both."""

KEEN: Limits = (0.6, 0.75, 0.8)
"""Measured with float32 on one thread, on AMD's Zen 5 and on Intel; see `has_fast_float32`."""

BACKWARD: Limits = (0.25, 0.55, 0.7)
"""Measured where the outputs are known, as in A2C: only the backward pass can gain."""


@dataclass(frozen=True)
class PatchLayer:
    """The distinct patches of one convolution.

    Attributes:
        first: (patches,) int64, where in the rollout each is seen: image * positions + position.
        uses: (rows, parts) int32, the patches of which each patch of the next layer consists, or
            each image of the minibatch.
        shape: Height and width of the convolution's output.
    """

    first: Places
    uses: Ids
    shape: tuple[int, int]

    @property
    def positions(self) -> Places:
        """(patches,) where in the image each is, row by row; ascending."""
        return self.first % (self.shape[0] * self.shape[1])


@dataclass(frozen=True)
class PatchBatch:
    """What `convolve_patches` needs to know of a minibatch.

    Attributes:
        pixels: (patches, 8 * 8 * 4) uint8, the distinct patches of the first convolution.
        layers: The first one, two or three convolutions.
    """

    pixels: NDArray[np.uint8]
    layers: tuple[PatchLayer, ...]


@dataclass(frozen=True)
class _Known:
    """The distinct patches of one convolution in the whole rollout.

    Attributes:
        first: (patches,) int64, as in `PatchLayer`.
        inputs: (patches, parts) int32, patches of the layer below; none of the first layer.
        shape: Height and width of the convolution's output.
    """

    first: Places
    inputs: Ids
    shape: tuple[int, int]


class PatchIndex:
    """Finds the patches that come again in a rollout's images.

    Args:
        frames: (N, H, W, 4) uint8 on a processor, in an order in which neighbours are alike.
            They must stay as they are.
        inds: (B,) integers, the images of a first minibatch. It decides for all how many of the
            convolutions gain, from the first one on.
        limits: What is a gain.
    """

    def __init__(self, frames: Tensor, inds: Places, limits: Limits = EAGER) -> None:
        """Give ids to the patches of one convolution after the other, as long as that gains."""
        self._frames: NDArray[np.uint8] = frames.numpy()
        self._known: list[_Known] = []
        below: PatchIds | None = None
        try:
            blocks = block_ids(self._frames)
            if _share(blocks.ids[:-1, :-1, inds]) > limits[0]:
                return  # Patches differ wherever the blocks in their corners do.
            convolutions = _convolutions(blocks)
            for (named, kernel, stride), limit in zip(convolutions, limits, strict=True):
                if _share(named.ids[:, :, inds]) > limit:
                    break
                self._known.append(_know(named, below, kernel, stride))
                below = named
        except Collision as collision:
            _log.info("convolutions after the first %d are plain: %s", len(self._known), collision)
        if below is not None:
            self._ids = below.ids.reshape(-1, len(self._frames)).T.copy()

    @staticmethod
    def is_indexable(frames: Tensor) -> bool:
        """Tell whether this class takes the frames: such blocks as `patch_ids` has, in memory."""
        _, height, width, channels = frames.shape
        return (
            channels == CHANNELS
            and not height % BLOCK
            and not width % BLOCK
            and min(height, width) >= SMALLEST
            and frames.device.type == "cpu"
            and frames.is_contiguous()
        )

    def minibatch(self, inds: Places) -> PatchBatch | None:
        """Find the distinct patches of some images.

        Args:
            inds: (B,) integers, which images.

        Returns:
            What `convolve_patches` needs, or None where plain convolutions are faster.
        """
        if not self._known:
            return None
        needed = self._ids.take(inds, axis=0)
        layers: list[PatchLayer] = []
        for known in reversed(self._known):
            chosen, uses = _compact(needed, len(known.first))
            layers.insert(0, PatchLayer(known.first[chosen], uses, known.shape))
            needed = known.inputs.take(chosen, axis=0)
        return PatchBatch(self._pixels(layers[0]), tuple(layers))

    def whole(self) -> PatchBatch | None:
        """Return what `minibatch` would of all images, in their order."""
        if not self._known:
            return None
        uses = [*(known.inputs for known in self._known[1:]), self._ids]
        layers = [PatchLayer(k.first, u, k.shape) for k, u in zip(self._known, uses, strict=True)]
        return PatchBatch(self._pixels(layers[0]), tuple(layers))

    def _pixels(self, layer: PatchLayer) -> NDArray[np.uint8]:
        """Gather the first convolution's patches, (patches, 8 * 8 * 4)."""
        _, height, width, _ = self._frames.shape
        runs = width // BLOCK  # of four pixels, in a line
        image, position = np.divmod(layer.first, layer.shape[0] * layer.shape[1])
        row, column = np.divmod(position, layer.shape[1])
        begin = (image * height + row * BLOCK) * runs + column
        inside = np.add.outer(np.arange(2 * BLOCK) * runs, np.arange(2)).ravel()
        # As numbers they mean nothing; no other type has 16 bytes, and each moves at once.
        quads = self._frames.reshape(-1).view(np.complex128)
        pixels: NDArray[np.uint8] = quads.take(begin[:, None] + inside).view(np.uint8)
        return pixels


def _know(named: PatchIds, below: PatchIds | None, kernel: int, stride: int) -> _Known:
    height, width, _ = named.ids.shape
    first = named.images * (height * width) + named.positions
    if below is None:
        return _Known(first, np.empty((len(first), 0), np.int32), (height, width))
    return _Known(first, _inputs(named, below, kernel, stride), (height, width))


def _convolutions(blocks: PatchIds) -> Iterator[tuple[PatchIds, int, int]]:
    """Yield the ids of each convolution's patches, with its kernel and stride."""
    named = blocks
    for strides, kernel, stride in zip(WINDOWS, KERNELS, STRIDES, strict=True):
        for step in strides:
            named = window_ids(named, step)
        yield named, kernel, stride


def _inputs(named: PatchIds, below: PatchIds, kernel: int, stride: int) -> Ids:
    """Return (patches, kernel * kernel): the ids below of which each patch consists."""
    shape = below.ids.shape
    corner = corners(named.first, named.ids.shape, stride, shape)
    return below.ids.ravel().take(corner[:, None] + parts(kernel, shape))


def _share(ids: Ids) -> float:
    """Return the distinct ones over all."""
    return np.count_nonzero(np.bincount(ids.ravel())) / ids.size


def _compact(ids: Ids, count: int) -> tuple[Places, Ids]:
    """Return the distinct ones of ids below `count`, and which of them each one is."""
    used = np.zeros(count, np.bool_)
    used[ids] = True
    order = used.cumsum(dtype=np.int32) - 1
    return used.nonzero()[0], order.take(ids)
