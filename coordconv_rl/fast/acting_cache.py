"""Cache for one rollout: prepared weights, and the outputs that A2C's update uses again.

While a rollout is collected the weights stand still. So they are brought into the network's
precision once; and where training evaluates the whole rollout with the weights that acted, as
A2C does, what the layers gave is known already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from coordconv_rl.fast.gate import KnownLayers
from coordconv_rl.fast.network import Computation, Network, outputs, prepare

LARGE = 1 << 17  # numbers of a weight from which on only some are compared, else it takes a ms
SAMPLED = 251  # one of so many: a prime below 512, so each row and column of 512x3136 is sampled


class WeightsSeen:
    """What weights were, to notice when they are others.

    They are compared by value, because neither torch's fused optimizers nor writes through
    `.data` count as new versions. Of a large weight every `SAMPLED`-th number is compared, and
    where it lies: an optimizer's step, or a row or column that is set through `.data`, is noticed.
    On a GPU all numbers are compared at once, for every comparison makes the host wait.
    """

    def __init__(self, weights: Sequence[Tensor]) -> None:
        self._places = _places(weights)
        self._values = [value.clone() for value in _values(weights)]

    def are_still(self, weights: Sequence[Tensor]) -> bool:
        """Tell whether these are the weights that were seen, unchanged."""
        return _places(weights) == self._places and all(
            map(torch.equal, _values(weights), self._values)
        )


def _places(weights: Sequence[Tensor]) -> list[tuple[object, ...]]:
    """Return each weight's shape and device, and of a large one where it lies and its version."""
    return [
        (w.shape, w.device, *((id(w), w.data_ptr(), w._version) if _is_large(w) else ()))
        for w in weights
    ]


def _values(weights: Sequence[Tensor]) -> list[Tensor]:
    """Return what is compared of weights that share a device: one tensor each, or one in all."""
    samples = [_sample(weight) for weight in weights]
    if all(sample.is_cpu for sample in samples):
        return samples
    return [torch.cat([sample.reshape(-1) for sample in samples])]


def _is_large(weight: Tensor) -> bool:
    return weight.numel() >= LARGE and weight.is_contiguous()


def _sample(weight: Tensor) -> Tensor:
    weight = weight.detach()
    return weight.view(-1)[::SAMPLED] if _is_large(weight) else weight


@dataclass(frozen=True, eq=False)
class Recorded:
    """What acting computed for all images of a rollout, in the order of `Recording.join`.

    Attributes:
        seen: The weights that acted.
        computation: How the network computed.
        outputs: What `network.outputs` gives for these images.
    """

    seen: WeightsSeen
    computation: Computation
    outputs: tuple[Tensor, ...]

    def is_of(self, network: Network) -> bool:
        """Tell whether a network would compute the same outputs now."""
        same = self.computation == network.computation
        return same and self.seen.are_still(network.layers.weights)


@dataclass(frozen=True, eq=False)
class _Prepared:
    computation: Computation
    is_inference: bool
    seen: WeightsSeen
    network: Network


@dataclass(frozen=True)
class _Step:
    prepared: _Prepared
    frames: Tensor
    outputs: tuple[Tensor, ...]


class Recording:
    """The passes of one rollout; given up, and freed, where more come than the rollout's steps.

    Args:
        steps: How many passes the rollout has.
    """

    def __init__(self, steps: int) -> None:
        self._limit = steps
        self._steps: list[_Step] | None = []

    def note(self, prepared: _Prepared, frames: Tensor, results: tuple[Tensor, ...]) -> None:
        """Keep one pass: a copy of its images, because environments write into theirs again."""
        steps = self._steps
        if steps is None:
            return
        others = bool(steps) and steps[0].prepared is not prepared
        if len(steps) == self._limit or others or prepared.is_inference:
            self._steps = None
        else:
            steps.append(_Step(prepared, frames.clone(), results))

    def join(
        self, weights: Sequence[Tensor], is_shown: Callable[[int, Tensor], bool]
    ) -> Recorded | None:
        """Return the passes as one, the steps of each environment together, the first one's first.

        Args:
            weights: The network's, now.
            is_shown: Tells whether the rollout has these images, (environments, C, H, W), at a
                step.

        Returns:
            None if weights or images are not those of acting.
        """
        steps = self._steps
        if steps is None or len(steps) != self._limit or not steps:
            return None
        prepared = steps[0].prepared
        if not prepared.seen.are_still(weights):
            return None
        if not all(is_shown(index, step.frames) for index, step in enumerate(steps)):
            return None
        layers = zip(*(step.outputs for step in steps), strict=True)
        joined = tuple(map(_by_environment, layers))
        return Recorded(prepared.seen, prepared.computation, joined)


class ActingCache:
    """Prepared networks of one policy, and where a rollout is recorded, what they computed.

    Weights that changed are noticed; see `WeightsSeen`. A copy, or what pickle brings back,
    starts empty.
    """

    def __init__(self) -> None:
        self._prepared: dict[tuple[int, bool], _Prepared] = {}
        self._recording: Recording | None = None

    def __reduce__(self) -> tuple[type[ActingCache], tuple[()]]:
        return ActingCache, ()

    def clear(self) -> None:
        """Forget all networks."""
        self._prepared.clear()

    def get(self, layers: KnownLayers, computation: Computation) -> Network:
        """Return what `prepare` would for acting, made anew only if something is not as it was."""
        return self._get(layers, computation).network

    def features(
        self, layers: KnownLayers, computation: Computation, frames: Tensor, *, noted: bool
    ) -> Tensor:
        """Compute features as `network.features` does, without gradients.

        Args:
            layers: What the gate found.
            computation: How to compute.
            frames: Shape (N, C, H, W), uint8.
            noted: Whether a recording wants this pass.
        """
        prepared = self._get(layers, computation)
        results = outputs(prepared.network, frames)
        if noted and self._recording is not None:
            self._recording.note(prepared, frames, results)
        return results[-1].float()

    @contextmanager
    def recording(self, steps: int) -> Iterator[Recording]:
        """Record passes until the block ends, however it does.

        Args:
            steps: How many passes are expected; with more, none is kept.
        """
        self._recording = recording = Recording(steps)
        try:
            yield recording
        finally:
            self._recording = None

    def _get(self, layers: KnownLayers, computation: Computation) -> _Prepared:
        key = (id(layers.linear), computation.is_blind)
        found, weights = self._prepared.get(key), layers.weights
        is_inference = torch.is_inference_mode_enabled()
        if (
            found is None
            or (found.computation, found.is_inference) != (computation, is_inference)
            or not found.seen.are_still(weights)
        ):
            with torch.no_grad():
                network = prepare(layers, computation, acting=True, packing=self._recording is None)
            found = _Prepared(computation, is_inference, WeightsSeen(weights), network)
            self._prepared[key] = found
        return found


def _by_environment(results: tuple[Tensor, ...]) -> Tensor:
    """Join one layer's outputs of all steps, each (environments, ...), as `Recording.join` says."""
    rows = [y.movedim(1, -1) for y in results]
    return torch.stack(rows, 1).flatten(0, 1).movedim(-1, 1)
