"""What weights were, to notice when they are others."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from torch import Tensor

LARGE = 1 << 17  # numbers of a weight from which on only some are compared, else it takes a ms
SAMPLED = 509  # one of so many: a prime below 512, so each row and column of 512x3136 is sampled


class WeightsSeen:
    """What weights were, to notice when they are others.

    Each is compared by what tells cheaply that it is another: object, address, torch's count of
    writes, and whether it is learned. That is not enough: neither torch's fused optimizers nor
    writes through `.data` count as new versions. So values are compared too, bit for bit. Of a
    large weight every `SAMPLED`-th number is: an optimizer's step, or a row or column that is set
    through `.data`, is noticed. On a GPU all numbers are compared at once, for every comparison
    makes the host wait.
    """

    def __init__(self, weights: Sequence[Tensor]) -> None:
        self._marks = list(map(_mark, weights))
        found = _values(weights)
        # Arrays share the weights' memory. While the marks are the same, so is that memory.
        self._now = found if isinstance(found[0], np.ndarray) else None
        self._values = deepcopy(found)

    def are_still(self, weights: Sequence[Tensor]) -> bool:
        """Tell whether these are the weights that were seen, unchanged."""
        if list(map(_mark, weights)) != self._marks:
            return False
        now = _values(weights) if self._now is None else self._now
        return all(bool((new == old).all()) for new, old in zip(now, self._values, strict=True))


def _mark(weight: Tensor) -> tuple[object, ...]:
    place = (id(weight), weight.device, weight.data_ptr(), weight.shape, weight.stride())
    return *place, weight._version, weight.requires_grad


def _values(weights: Sequence[Tensor]) -> list[Any]:
    """Return what is compared of weights that share a device: one item each, or one in all.

    On a processor they are NumPy's integers: those it compares many at a time, torch one by one.
    """
    samples = [_sample(weight) for weight in weights]
    if all(sample.is_cpu for sample in samples):
        return [sample.numpy().view(np.int32) for sample in samples]
    return [torch.cat([sample.reshape(-1) for sample in samples])]


def _sample(weight: Tensor) -> Tensor:
    weight = weight.detach()
    is_large = weight.numel() >= LARGE and weight.is_contiguous()
    return weight.view(-1)[::SAMPLED] if is_large else weight
