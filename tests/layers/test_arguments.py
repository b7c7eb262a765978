"""Sizes of all kinds, and what a layer with coordinates cannot have."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from coordconv_rl.errors import InputError
from coordconv_rl.layers import AddCoords, CoordConv2d


class Size(NamedTuple):
    height: int
    width: int


@pytest.mark.parametrize(
    "kernel", [np.array([3, 2]), torch.tensor([3, 2]), Size(3, 2), [3, 2], (np.int64(3), 2)]
)
def test_sizes_of_all_kinds_are_sizes(kernel: Any) -> None:
    layer = CoordConv2d(2, 3, kernel, stride=kernel)
    assert tuple(layer.kernel_size) == tuple(layer.stride) == (3, 2)
    assert {type(size) for size in (*layer.kernel_size, *layer.stride)} == {int}
    assert layer(torch.rand(1, 2, 9, 8)).shape == (1, 3, 3, 4)


@pytest.mark.parametrize("radius", ["False", "no", "", None])
def test_text_is_no_switch(radius: Any) -> None:
    for make in (AddCoords, partial(CoordConv2d, 2, 3, 1)):
        with pytest.raises(InputError, match=r"radius is .*: use True or False"):
            make(radius=radius)


@pytest.mark.parametrize("radius", [np.True_, 1, torch.tensor(True)])
def test_switches_of_all_kinds_are_switches(radius: Any) -> None:
    assert CoordConv2d(2, 3, 1, radius=radius).radius is True
    assert AddCoords(radius=radius).radius is True


def test_a_layer_without_outputs_is_refused() -> None:
    with pytest.raises(InputError, match="CoordConv2d has no output channels"):
        CoordConv2d(1, 0, 3)
