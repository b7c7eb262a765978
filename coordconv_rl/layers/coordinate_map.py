"""A layer's coordinate map: kept while the weights stand still, added to each image."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from coordconv_rl.layers.coordinates import is_recording


class KeptMap:
    """A coordinate map with all that it was made from.

    The weights are compared by value: a tensor's version counter misses writes through `.data`,
    which is how SB3 moves its target networks. They are copied before the map is made: if another
    thread trains them meanwhile, the map counts as one of weights that are no more.

    Args:
        key: What else the map depends on.
        weights: What it is made from.
        make: Makes the map.
    """

    def __init__(
        self, key: object, weights: Sequence[Tensor | None], make: Callable[[], Tensor]
    ) -> None:
        self._key = key
        self._weights = [None if weight is None else weight.clone() for weight in weights]
        self.value = make()

    def is_for(self, key: object, weights: Sequence[Tensor | None]) -> bool:
        """Tell whether a map made now would be the same."""
        return self._key == key and all(
            new is old or (new is not None and old is not None and _is_same(new, old))
            for new, old in zip(weights, self._weights, strict=True)
        )


def _is_same(new: Tensor, old: Tensor) -> bool:
    return new.dtype == old.dtype and torch.equal(new, old)


def add_to_each(output: Tensor, share: Tensor) -> Tensor:
    """Add one image to each of a batch, in the order in which the batch lies in memory.

    As a matrix of images by values, because torch sums the gradient of that over the batch many
    times faster than the gradient of a broadcast over a channels-last batch.
    """
    if output.dim() < share.dim():
        return output + share[0]
    last = output.movedim(1, -1)
    if is_recording() or output.shape[0] == 1 or not last.is_contiguous():
        return output + share
    flat = last.flatten(1) + share.movedim(1, -1).flatten(1)
    return flat.view(last.shape).movedim(-1, 1)
