import numpy as np

from coordconv_rl.envs.minatar.boards import (
    BITS,
    COLUMN_CELLS,
    ROW_CELLS,
    images,
    rectangle,
    stamps,
    with_trail,
)


def test_sets_of_cells():
    assert rectangle(rows=[2], columns=range(10)) == ROW_CELLS[2]
    assert rectangle(rows=range(10), columns=[7]) == COLUMN_CELLS[7]
    assert rectangle(rows=[0, 1], columns=[3]) == 1 << 3 | 1 << 13
    assert BITS[42] << 10 == BITS[52]  # one row down


def test_a_picture_becomes_an_image():
    picture = stamps(0)[0] | stamps(1)[37] | stamps(6)[99]
    image = images([0, picture], channels=7)
    assert image.shape == (2, 7, 10, 10)
    assert image.dtype == np.uint8
    assert not image[0].any()
    assert np.argwhere(image[1]).tolist() == [[0, 0, 0], [1, 3, 7], [6, 9, 9]]
    assert image.max() == 255


def test_trails_end_at_the_border():
    rightwards = with_trail(stamps(0), stamps(1), 1)
    assert rightwards[25] == 1 << 25 | 1 << 124
    assert rightwards[20] == 1 << 20
    leftwards = with_trail(stamps(0), stamps(1), -1)
    assert leftwards[25] == 1 << 25 | 1 << 126
    assert leftwards[29] == 1 << 29
