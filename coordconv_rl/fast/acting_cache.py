"""What acting computed, kept: the weights for the next step, the outputs for training.

While a rollout is collected the weights stand still. So they are brought into the network's
precision once; and where training evaluates the whole rollout with the weights that acted, as
A2C does, what the layers gave is known already.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from coordconv_rl.fast import network as fast_network
from coordconv_rl.fast.network import Network
from coordconv_rl.fast.patch_index import Minibatch

if TYPE_CHECKING:
    from coordconv_rl.sb3 import CoordConvExtractor


@dataclass(frozen=True)
class KnownPass:
    """A forward pass over a whole rollout, made while acting.

    Attributes:
        network: The network that acted; gradients flow through it to the float32 weights, once.
        outputs: What `fast_network.outputs` gives for all frames, the steps of each environment
            together, the first environment's first.
        repeats: What these frames have in common, if it is known.
    """

    network: Network
    outputs: tuple[Tensor, ...]
    repeats: Minibatch | None = None


@dataclass(frozen=True)
class _Step:
    network: Network
    outputs: tuple[Tensor, ...]
    values: Tensor


class Kept:
    """Prepared networks of one rollout and, between `record` and `take`, what they computed.

    `clear` must be called where training begins or ends. In between, weights that changed are
    noticed: all but the linear layer's, the one large weight, are compared by value, because
    neither torch's fused optimizers nor writes through `.data` count as new versions.

    A copy, or what pickle brings back, starts empty.
    """

    def __init__(self) -> None:
        self._networks: dict[tuple[int, bool], tuple[object, list[Tensor], Network]] = {}
        self._steps: list[_Step | None] | None = None
        self._last: tuple[Network, tuple[Tensor, ...]] | None = None

    def __reduce__(self) -> tuple[type[Kept], tuple[()]]:
        return Kept, ()

    def clear(self) -> None:
        """Forget all networks."""
        self._networks.clear()

    def get(
        self,
        extractor: CoordConvExtractor,
        image: torch.Size,
        dtype: torch.dtype,
        *,
        scale: float = 1 / 255,
        blind: bool = False,
    ) -> Network:
        """Return what `prepare` would, made anew only if something is not as it was."""
        large = fast_network.large_weight(extractor)
        small = [p for p in extractor.parameters() if p is not large]
        key = (large.data_ptr(), large._version, large.device, image, dtype, scale)
        kept = self._networks.get((id(extractor), blind))
        if kept is None or kept[0] != key or not all(map(torch.equal, small, kept[1])):
            with torch.set_grad_enabled(self._steps is not None):
                network = fast_network.prepare(
                    extractor, image, dtype, scale=scale, blind=blind, acting=True
                )
            kept = (key, [p.detach().clone() for p in small], network)
            self._networks[id(extractor), blind] = kept
        return kept[2]

    def features(self, network: Network, frames: Tensor) -> Tensor:
        """Compute features as `fast_network.features` does, and remember how."""
        outputs = fast_network.outputs(network, frames)
        self._last = (network, outputs) if self._steps is not None else None
        return outputs[-1].float()

    def record(self) -> None:
        """Keep what acting computes from now on."""
        self._steps, self._last = [], None
        self.clear()

    def note(self, values: Tensor) -> None:
        """Count one environment step: these values came of the features computed last."""
        if self._steps is not None:
            self._steps.append(_Step(*self._last, values) if self._last else None)
        self._last = None

    def take(self, network: Network, values: np.ndarray[Any, Any]) -> KnownPass | None:
        """Stop recording, and return what was recorded if it is the rollout's.

        Args:
            network: What `get` returns now: another one if weights changed since.
            values: The rollout's values, (steps, environments), equal to those noted bit for bit.

        Returns:
            The pass, or None if anything does not fit.
        """
        steps, self._steps, self._last = self._steps or [], None, None
        whole = [step for step in steps if step is not None and step.network is network]
        if not whole or not len(whole) == len(steps) == len(values):
            return None
        found = torch.stack([step.values.flatten() for step in whole]).cpu().numpy()
        if not np.array_equal(found, values):
            return None
        layers = zip(*(step.outputs for step in whole), strict=True)
        return KnownPass(network, tuple(map(_by_environment, layers)))


def _by_environment(outputs: tuple[Tensor, ...]) -> Tensor:
    """Join one layer's outputs of all steps, each (environments, ...), as `KnownPass` says."""
    rows = [y.movedim(1, -1) for y in outputs]
    return torch.stack(rows, 1).flatten(0, 1).movedim(-1, 1)
