"""Convolutions of few images, computed only where the images changed since the last call.

While a policy acts, most of each image is what it was a step ago. A convolution's output there is
known; for the patches that changed it is one product of a matrix. Only float32 gains: bfloat16's
convolutions take less time than finding out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from coordconv_rl.fast.gate import KERNELS, STRIDES
from coordconv_rl.fast.network import Network, PreparedConvolution, outputs, upper
from coordconv_rl.fast.patch_convolution import as_matrix
from coordconv_rl.fast.patch_ids import BLOCK
from coordconv_rl.fast.products import is_float32_exact

MOST_IMAGES = 64  # whose outputs are kept: 80 kB each
MOST_CHANGED = 0.35  # of the first convolution's patches; above, plain ones are as fast: measured
THREADS_THAT_GAIN = 2  # what is done beside the products takes one

Flags: TypeAlias = NDArray[np.bool_]


class ChangedImages:
    """The last images that a network was given, and its convolutions' outputs.

    Args:
        network: What `for_acting` returned, in float32 on a processor.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._latest: tuple[NDArray[np.int32], tuple[Tensor, ...]] | None = None

    @staticmethod
    def is_for(network: Network, frames: Tensor) -> bool:
        """Tell whether this class takes the images, (N, C, H, W), and gains by it."""
        count, _, height, width = frames.shape
        return (
            network.weight.dtype == torch.float32
            and frames.device.type == "cpu"
            and frames.is_contiguous()
            and count <= MOST_IMAGES
            and not height % BLOCK
            and not width % BLOCK
            and torch.get_num_threads() <= THREADS_THAT_GAIN
            and is_float32_exact()
        )

    def outputs(self, frames: Tensor) -> tuple[Tensor, ...]:
        """Return what `network.outputs` does, up to rounding.

        Args:
            frames: Shape (N, C, H, W), uint8, for which `is_for` holds.
        """
        words = frames.numpy().view(np.int32)
        copied, latest = words.copy(), self._latest  # environments write into theirs again
        changed = None
        if latest is not None and latest[0].shape == words.shape:
            changed = _windows_with_any(_changed_blocks(words, latest[0]), 2, 1)
        if latest is None or changed is None or changed.mean() > MOST_CHANGED:
            results = outputs(self._network, frames)
        else:
            convolved = self._update(words, changed, latest[1])
            results = *convolved, upper(self._network, len(KERNELS), convolved[-1])[-1]
        self._latest = copied, results[:-1]  # both at once: a pass may be interrupted
        return results

    def _update(
        self, words: NDArray[np.int32], changed: Flags, known: tuple[Tensor, ...]
    ) -> tuple[Tensor, ...]:
        """Compute the three outputs where a part of what they see has changed."""
        results: list[Tensor] = []
        layers = zip(self._network.convolutions, known, KERNELS, STRIDES, strict=True)
        for layer, old, kernel, stride in layers:
            if results:
                changed = _windows_with_any(changed, kernel, stride)
            places = np.flatnonzero(changed)
            if results:
                patches = _parts(results[-1], places, changed.shape, kernel, stride)
                weight = as_matrix(layer.weight)
            else:
                patches = _pixels(words, places, changed.shape)
                weight = layer.weight.flatten(1)
            rows = _add(patches @ weight.t(), layer, places)
            own = _rows(old).index_copy(0, torch.from_numpy(places), rows.relu_())
            results.append(own.view(*changed.shape, -1).movedim(-1, 1))
        return tuple(results)


def _changed_blocks(words: NDArray[np.int32], old: NDArray[np.int32]) -> Flags:
    """Tell which blocks of 4x4 pixels differ in any channel: (N, H / 4, W / 4)."""
    lines = np.bitwise_or.reduce(words ^ old, axis=1)
    lines = lines.reshape(len(words), -1, BLOCK, words.shape[3])
    flags: Flags = np.bitwise_or.reduce(lines, axis=2) != 0
    return flags


def _windows_with_any(flags: Flags, kernel: int, stride: int) -> Flags:
    """Tell which windows of the two last axes hold a flag, first along lines, then columns."""
    for axis in (1, 2):
        count = (flags.shape[axis] - kernel) // stride + 1
        ends = range(stride * (count - 1) + 1, stride * (count - 1) + 1 + kernel)
        views = [
            flags[(slice(None),) * axis + (slice(start, end, stride),)]
            for start, end in enumerate(ends)
        ]
        flags = np.logical_or.reduce(views)
    return flags


def _corners(
    places: NDArray[np.int64], shape: Sequence[int], stride: int, below: Sequence[int]
) -> NDArray[np.int64]:
    """Return where windows begin, as indices into (N, lines, columns) below.

    Args:
        places: The windows, as indices into (N, height, width).
        shape: (N, height, width).
        stride: Lines from each window to the next; columns are counted alike.
        below: Lines of an image below, and columns.
    """
    image, position = np.divmod(places, shape[1] * shape[2])
    row, column = np.divmod(position, shape[2])
    corner: NDArray[np.int64] = (image * below[0] + row * stride) * below[1] + column * stride
    return corner


def _pixels(words: NDArray[np.int32], places: NDArray[np.int64], shape: Sequence[int]) -> Tensor:
    """Gather the first convolution's patches, (patches, C * 8 * 8), in the weight's order."""
    _, channels, height, width = words.shape
    image, position = np.divmod(places, shape[1] * shape[2])
    row, column = np.divmod(position, shape[2])
    corner = (image * channels * height + row * BLOCK) * width + column
    lines = np.add.outer(np.arange(channels) * height, np.arange(2 * BLOCK)).ravel() * width
    inside = np.add.outer(lines, np.arange(2)).ravel()
    pixels = words.ravel().take(corner[:, None] + inside).view(np.uint8)
    return torch.from_numpy(pixels).float()


def _parts(
    below: Tensor, places: NDArray[np.int64], shape: Sequence[int], kernel: int, stride: int
) -> Tensor:
    """Gather patches of the layer below, (patches, kernel * kernel * C)."""
    height, width = below.shape[2:]
    corner = _corners(places, shape, stride, (height, width))
    inside = np.add.outer(np.arange(kernel) * width, np.arange(kernel)).ravel()
    index = torch.from_numpy((corner[:, None] + inside).ravel())
    return _rows(below).index_select(0, index).view(len(places), kernel * kernel * below.shape[1])


def _rows(y: Tensor) -> Tensor:
    """View channels-last images as (N * H * W, K)."""
    return y.movedim(1, -1).reshape(-1, y.shape[1])


def _add(rows: Tensor, layer: PreparedConvolution, places: NDArray[np.int64]) -> Tensor:
    """Add biases, or the map at each patch's position, in place."""
    if layer.share.dim() == 1:
        return rows.add_(layer.share)
    table: Any = _rows(layer.share)
    return rows.add_(table.index_select(0, torch.from_numpy(places % len(table))))
