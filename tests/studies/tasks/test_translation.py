from __future__ import annotations

import torch

from coordconv_rl.studies.tasks import translation
from coordconv_rl.studies.tasks.data import (
    squares,
)

CORNERS = torch.tensor([[4, 4], [59, 4], [4, 59], [31, 32]])


def test_translation_offers_squares_and_scattered_pixels_of_the_same_number():
    images, labels = translation.data(CORNERS, 0)
    assert images.shape == (8, 1, 64, 64)
    assert images.sum(dim=(1, 2, 3)).tolist() == [81] * 8
    assert labels[:, 0].tolist() == [1] * 4 + [0] * 4
    assert images[:4].equal(squares(CORNERS))
    assert not images[4:].equal(images[:4])
    assert translation.data(CORNERS, 0)[0].equal(images)
    assert translation.data(CORNERS[2:], 0)[0][2:].equal(images[6:])  # the position decides
