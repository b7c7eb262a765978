"""What weights were, to notice when they are others."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from torch import Tensor

LARGE = 1 << 17  # numbers of a weight from which on a rollout's steps compare only some
SAMPLED = 509  # one of so many: a prime below 512, so each row and column of 512x3136 is sampled


class WeightsSeen:
    """What weights were, to notice when they are others.

    Each is compared by what tells cheaply that it is another: object, address, torch's count of
    writes, and whether it is learned. That is not enough: neither torch's fused optimizers nor
    writes through `.data` count as new versions. So values are compared too, bit for bit, which
    takes a sixth of a millisecond for a Nature network on a processor. On a GPU it is one
    comparison for all, for each makes the host wait.
    """

    def __init__(self, weights: Sequence[Tensor]) -> None:
        self._marks = list(map(_mark, weights))
        found = _values(weights)
        # Arrays share the weights' memory. While the marks are the same, so is that memory.
        self._now = found if isinstance(found[0], np.ndarray) else None
        self._values = deepcopy(found)
        self._sampled = self._now and (_samples(self._now), _samples(self._values))

    def are_still(self, weights: Sequence[Tensor], *, roughly: bool = False) -> bool:
        """Tell whether these are the weights that were seen, unchanged.

        Args:
            weights: The weights.
            roughly: Whether, on a processor, every `SAMPLED`-th number of a large one is enough. An
                optimizer's step, or a row or column that is set through `.data`, is noticed.
        """
        if list(map(_mark, weights)) != self._marks:
            return False
        now, before = self._now or _values(weights), self._values
        if roughly and self._sampled:
            now, before = self._sampled
        return all(bool((new == old).all()) for new, old in zip(now, before, strict=True))


def _mark(weight: Tensor) -> tuple[object, ...]:
    place = (id(weight), weight.device, weight.data_ptr(), weight.shape, weight.stride())
    return *place, weight._version, weight.requires_grad


def _values(weights: Sequence[Tensor]) -> list[Any]:
    """Return what is compared of weights that share a device: one item each, or one in all.

    On a processor they are NumPy's integers: those it compares many at a time, torch one by one.
    """
    found = [weight.detach() for weight in weights]
    if all(weight.is_cpu for weight in found):
        return [weight.numpy().view(np.int32) for weight in found]
    return [torch.cat([weight.reshape(-1) for weight in found])]


def _samples(arrays: Sequence[Any]) -> list[Any]:
    """Return what is compared roughly: of large arrays a few numbers, as they are in memory."""
    return [
        array.reshape(-1)[::SAMPLED] if array.size >= LARGE and array.flags.c_contiguous else array
        for array in arrays
    ]
