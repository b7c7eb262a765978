"""What weights were, to notice when they are others."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from torch import Tensor


class WeightsSeen:
    """What weights were, to notice when they are others.

    Each is compared by what tells cheaply that it is another: object, address, torch's count of
    writes, and whether it is learned. That is not enough: neither torch's fused optimizers nor
    writes through `.data` count as new versions. So all values are compared too, bit for bit; on a
    GPU in one comparison for all, for each makes the host wait.
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
    found = [weight.detach() for weight in weights]
    if all(weight.is_cpu for weight in found):
        return [weight.numpy().view(np.int32) for weight in found]
    return [torch.cat([weight.reshape(-1) for weight in found]).view(torch.int32)]
