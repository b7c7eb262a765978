"""Sets of cells of the 10x10 board as integers, one bit a cell; pictures and images of them.

The cell in column x and row y (row 0 on top) is bit 10 * y + x, so that moving a whole set up or
down is a shift, and finding what hits what is an `&`. A picture is all channels in one integer,
100 bits each, the first channel lowest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

SIDE = 10
LAST = SIDE - 1
BOARD_CELLS = SIDE * SIDE
BITS = tuple(1 << cell for cell in range(BOARD_CELLS))  # BITS[10 * y + x] is the set of one cell
ALL = (1 << BOARD_CELLS) - 1
ROW_CELLS = tuple((2**SIDE - 1) << SIDE * y for y in range(SIDE))
COLUMN_CELLS = tuple(sum(BITS[x::SIDE]) for x in range(SIDE))


def rectangle(rows: Iterable[int], columns: Iterable[int]) -> int:
    """Return the set of all cells in the rows and the columns."""
    columns = list(columns)
    return sum(BITS[SIDE * y + x] for y in rows for x in columns)


def stamps(channel: int) -> tuple[int, ...]:
    """Return 100 pictures: in that channel one cell each, in the cells' order."""
    return tuple(bit << BOARD_CELLS * channel for bit in BITS)


def with_trail(things: Sequence[int], trails: Sequence[int], way: int) -> tuple[int, ...]:
    """Return the stamps of a thing in each cell, with what it leaves in the cell behind it.

    Args:
        things: The thing's stamps.
        trails: Those of its trail.
        way: 1 if it moves to the right, -1 to the left; at the border it has no trail.
    """
    return tuple(
        thing | (trails[cell - way] if 0 <= cell % SIDE - way <= LAST else 0)
        for cell, thing in enumerate(things)
    )


def images(pictures: Sequence[int], channels: int) -> NDArray[np.uint8]:
    """Return pictures as images.

    Returns:
        (pictures, channels, 10, 10), 255 where a cell is in the channel's set, else 0. SB3 scales
        uint8 images by 1/255: its networks see ones and zeros, as the original's.
    """
    size = -(-BOARD_CELLS * channels // 8)
    packed = b"".join([picture.to_bytes(size, "little") for picture in pictures])
    rows = np.frombuffer(packed, np.uint8).reshape(-1, size)
    cells = np.unpackbits(rows, axis=1, count=BOARD_CELLS * channels, bitorder="little")
    np.negative(cells, out=cells)  # 1 becomes 255
    return cells.reshape(-1, channels, SIDE, SIDE)
