"""Integer ids for patches: at one position, equal ids mean equal bytes.

The id of a 2x2 window follows from the ids of its parts, so windows of windows are as large as one
likes. Most of a rollout's images show what the one before showed, so only what changed is looked
at. Ids are found by a hash, and then the contents that share one are compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.integer[Any]]
Places = NDArray[np.int64]
BLOCK = 4  # pixels of a block's side
CHANNELS = 4  # bytes of a pixel

_MIX, _SPREAD = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
"""Multipliers of splitmix64's finalizer (Steele et al. 2014, "Fast splittable pseudorandom...")."""


class Collision(Exception):
    """Two contents have the same hash: they cannot get ids."""


@dataclass(frozen=True)
class PatchIds:
    """What each image shows at each position, as an id.

    Attributes:
        ids: (height, width, images) int32, from zero without gaps; an id belongs to one position,
            and those of a position follow each other.
        changed: (height, width, images) bool, whether it differs from the image before; of the
            first image, all is new.
        first: (count,) int64, a place of each id, as an index into `ids.ravel()`.
    """

    ids: NDArray[np.int32]
    changed: NDArray[np.bool_]
    first: Places

    @property
    def positions(self) -> Places:
        """(count,) the position that each id belongs to, row by row."""
        return np.divmod(self.first, self.ids.shape[2])[0]

    @property
    def images(self) -> Places:
        """(count,) an image where each id is seen."""
        return np.divmod(self.first, self.ids.shape[2])[1]


def block_ids(frames: NDArray[np.uint8]) -> PatchIds:
    """Give ids to the blocks of 4x4 pixels.

    Args:
        frames: (N, H, W, 4), contiguous, H and W multiples of four; neighbours should be alike.

    Raises:
        Collision: The odds are below one in 10^7 for a rollout of a thousand images.
    """
    count, height, width, _ = frames.shape
    rows, columns = height // BLOCK, width // BLOCK
    words = frames.reshape(count, height, -1).view(np.uint64)
    differ = (words[1:] != words[:-1]).view(np.uint16).reshape(count - 1, rows, BLOCK, columns)
    changed = np.ones((rows, columns, count), np.bool_)
    changed[:, :, 1:] = np.moveaxis(differ.any(2), 0, -1)
    places = np.flatnonzero(changed)
    position, image = np.divmod(places, count)
    row, column = np.divmod(position, columns)
    line = width * CHANNELS // 8
    corner = (image * height + row * BLOCK) * line + column * 2
    inside = np.add.outer(np.arange(BLOCK) * line, np.arange(2)).ravel()
    return _new_ids(words.ravel(), corner, inside, places, changed)


def window_ids(below: PatchIds, stride: int) -> PatchIds:
    """Give ids to the windows of 2x2 positions, each `stride` from the next.

    Raises:
        Collision: As `block_ids`.
    """
    changed = _windows_with_any(below.changed, stride)
    places = np.flatnonzero(changed)
    corner = corners(places, changed.shape, stride, below.ids.shape)
    return _new_ids(below.ids.ravel(), corner, parts(2, below.ids.shape), places, changed)


def corners(places: Places, shape: tuple[int, ...], stride: int, below: tuple[int, ...]) -> Places:
    """Return where windows begin, as indices into the ids below.

    Args:
        places: (count,) the windows, as indices into ids of `shape`.
        shape: (height, width, images) of the windows' ids.
        stride: From each window to the next.
        below: (height, width, images) of the ids below.
    """
    position, image = np.divmod(places, shape[2])
    row, column = np.divmod(position, shape[1])
    return (row * below[1] + column) * (stride * below[2]) + image


def parts(kernel: int, below: tuple[int, ...]) -> Places:
    """Return the parts of a window, row by row, as distances from its corner; see `corners`."""
    return np.add.outer(np.arange(kernel) * below[1], np.arange(kernel)).ravel() * below[2]


def _windows_with_any(flags: NDArray[np.bool_], stride: int) -> NDArray[np.bool_]:
    height, width = ((size - 2) // stride + 1 for size in flags.shape[:2])
    rows = [slice(start, start + stride * (height - 1) + 1, stride) for start in range(2)]
    columns = [slice(start, start + stride * (width - 1) + 1, stride) for start in range(2)]
    one, two, three, four = (flags[row, column] for row in rows for column in columns)
    return one | two | three | four


def _new_ids(
    values: Integers,
    corner: Places,
    inside: Places,
    places: Places,
    changed: NDArray[np.bool_],
) -> PatchIds:
    """Give ids to the places that changed, by their parts; the others keep the image before's.

    The upper bits of a key are the position, the lower ones the hash of the contents: sorted, the
    ids of a position follow each other, and only contents of one position need different hashes.
    """

    def words() -> Iterator[Integers]:  # one by one, for all together are large
        return (values.take(corner + part) for part in inside.tolist())

    bits = (changed.shape[0] * changed.shape[1]).bit_length()
    position = places // changed.shape[2]
    keys = position.astype(np.uint64) << np.uint64(64 - bits)
    keys |= _hash(words(), len(corner)) >> np.uint64(bits)
    order = keys.argsort()
    ascending = keys[order]
    new = np.ones(len(order), np.bool_)
    np.not_equal(ascending[1:], ascending[:-1], out=new[1:])
    first = order[new]
    ids = np.empty(len(order), np.int32)
    ids[order] = new.cumsum(dtype=np.int32) - 1
    same = first[ids]
    if not all(np.array_equal(word, word[same]) for word in words()):
        raise Collision("two contents of this rollout have the same hash")
    latest = changed.ravel().cumsum(dtype=np.int32) - 1
    return PatchIds(ids[latest].reshape(changed.shape), changed, places[first])


def _hash(words: Iterable[Integers], count: int) -> NDArray[np.uint64]:
    """Mix words of `count` numbers each into 64 bits for each number."""
    mixed = np.zeros(count, np.uint64)
    for word in words:
        mixed ^= word.astype(np.uint64, copy=False)
        mixed *= _MIX
        mixed ^= mixed >> np.uint64(29)
        mixed *= _SPREAD
        mixed ^= mixed >> np.uint64(32)
    return mixed
