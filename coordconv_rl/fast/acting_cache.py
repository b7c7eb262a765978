"""Cache for one rollout: prepared weights, and the outputs that A2C's update uses again.

While a rollout is collected the weights stand still. So they are brought into the network's
precision once; and where training evaluates the whole rollout with the weights that acted, as
A2C does, what the layers gave is known already.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor

from coordconv_rl.fast.changed_images import ChangedImages
from coordconv_rl.fast.gate import KnownLayers
from coordconv_rl.fast.network import Computation, Network, for_acting, outputs, prepare
from coordconv_rl.fast.weights_seen import WeightsSeen

Copier: TypeAlias = Callable[[Tensor], Any]
"""Copies images, (environments, C, H, W), so that they can be compared with a rollout's."""


@dataclass(frozen=True, eq=False)
class _Prepared:
    """A network that is ready to act, and how it came about.

    Attributes:
        computation: How it computes.
        is_inference: Whether it was made in inference mode.
        seen: The weights that it was made of.
        shuffle_seeds: Of which coordinates; see `KnownLayers`.
        network: For acting.
        learning: The same for one backward pass, which frees part of its graph.
        latest: The images that it saw last, with their outputs.
    """

    computation: Computation
    is_inference: bool
    seen: WeightsSeen
    shuffle_seeds: tuple[int | None, ...]
    network: Network
    learning: Network
    latest: ChangedImages

    def is_of(self, layers: KnownLayers, computation: Computation) -> bool:
        """Tell whether these layers would compute the same now."""
        same = self.computation == computation and self.shuffle_seeds == layers.shuffle_seeds
        return same and self.seen.are_still(layers.weights)

    def next_outputs(self, frames: Tensor) -> tuple[Tensor, ...]:
        """Compute what `network.outputs` does, of images that may be like those before."""
        if self.latest.is_for(self.network, frames):
            return self.latest.outputs(frames)
        return outputs(self.network, frames)


class Recorded:
    """What acting computed for all images of a rollout, in the order of `Recording.join`.

    Args:
        prepared: The network that acted.
        outputs: What `network.outputs` gives for these images.
    """

    def __init__(self, prepared: _Prepared, outputs: tuple[Tensor, ...]) -> None:
        self._prepared = prepared
        self._outputs = outputs
        self._is_taken = False

    def take(
        self, layers: KnownLayers, computation: Computation
    ) -> tuple[Network, tuple[Tensor, ...] | None]:
        """Return a network to learn with, and the outputs if it would compute the same ones now.

        The first time it is the network that acted: its weights are converted already.
        """
        found = self._prepared
        if not found.is_of(layers, computation):
            return prepare(layers, computation), None
        is_first, self._is_taken = not self._is_taken, True
        fits = is_first and torch.is_grad_enabled()
        return found.learning if fits else prepare(layers, computation), self._outputs


@dataclass(frozen=True)
class _Step:
    prepared: _Prepared
    images: Any
    outputs: tuple[Tensor, ...]


class Recording:
    """The passes of one rollout; given up, and freed, where more come than the rollout's steps.

    Args:
        steps: How many passes the rollout has.
        copy: Copies a pass's images.
    """

    def __init__(self, steps: int, copy: Copier) -> None:
        self._limit = steps
        self._copy = copy
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
            steps.append(_Step(prepared, self._copy(frames), results))

    def join(
        self, weights: Sequence[Tensor], is_shown: Callable[[int, Any], bool]
    ) -> Recorded | None:
        """Return the passes as one, the steps of each environment together, the first one's first.

        Args:
            weights: The network's, now.
            is_shown: Tells whether the rollout has the images of such a copy at a step.

        Returns:
            None if weights or images are not those of acting.
        """
        steps = self._steps
        if steps is None or len(steps) != self._limit or not steps:
            return None
        prepared = steps[0].prepared
        if not prepared.seen.are_still(weights):
            return None
        if not all(is_shown(index, step.images) for index, step in enumerate(steps)):
            return None
        layers = zip(*(step.outputs for step in steps), strict=True)
        return Recorded(prepared, tuple(map(_by_environment, layers)))


class _Own(threading.local):
    """What one thread prepared, since which `ActingCache.clear`; the rollout that it collects."""

    def __init__(self) -> None:
        self.prepared: dict[tuple[int, bool, bool], _Prepared] = {}
        self.cleared: object = None
        self.is_collecting = False
        self.recording: Recording | None = None


class ActingCache:
    """Prepared networks of one policy, and where a rollout is recorded, what they computed.

    Weights that changed are noticed; see `WeightsSeen`. Each thread has its own, for what acts
    beside a training is no part of it. A copy, or what pickle brings back, starts empty.
    """

    def __init__(self) -> None:
        self._own = _Own()
        self._cleared: object = None

    def __reduce__(self) -> tuple[type[ActingCache], tuple[()]]:
        return ActingCache, ()

    def clear(self) -> None:
        """Forget all networks; another thread does before it acts again outside of a rollout."""
        own = self._own
        own.prepared.clear()
        own.cleared = self._cleared = object()

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
            noted: Whether this is a step of a rollout, if one is collected.
        """
        prepared, own = self._get(layers, computation), self._own
        # Only a rollout's steps follow each other. What is computed of changes depends, in its last
        # bits, on what else changed; an evaluation's games must not depend on each other.
        if not noted or not own.is_collecting:
            return outputs(prepared.network, frames)[-1].float()
        results = prepared.next_outputs(frames)
        if own.recording is not None:
            own.recording.note(prepared, frames, results)
        return results[-1].float()

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Let this thread's steps follow each other until the block ends, however it does."""
        own = self._own
        own.is_collecting = True
        try:
            yield
        finally:
            own.is_collecting = False

    @contextmanager
    def recording(self, steps: int, copy: Copier) -> Iterator[Recording]:
        """Record the passes of this thread's rollout too; see `collecting` and `Recording`."""
        own = self._own
        own.recording = recording = Recording(steps, copy)
        try:
            with self.collecting():
                yield recording
        finally:
            own.recording = None

    def _get(self, layers: KnownLayers, computation: Computation) -> _Prepared:
        """Find or make what acts; what a rollout records it makes for its update as well."""
        own = self._own
        if own.cleared is not self._cleared and not own.is_collecting:
            own.cleared = self._cleared
            own.prepared.clear()
        is_inference = torch.is_inference_mode_enabled()
        key = (id(layers.linear), computation.is_blind, is_inference)
        found = own.prepared.get(key)
        if found is None or not found.is_of(layers, computation):
            is_recorded = own.recording is not None
            # Before they are used: another thread may train or change them.
            seen, shuffle_seeds = WeightsSeen(layers.weights), layers.shuffle_seeds
            with torch.set_grad_enabled(is_recorded):
                learning = prepare(layers, computation)
            network = for_acting(learning, packing=not is_recorded)
            found = _Prepared(
                computation, is_inference, seen, shuffle_seeds,
                network, learning, ChangedImages(network),
            )  # fmt: skip
            own.prepared[key] = found
        return found


def _by_environment(results: tuple[Tensor, ...]) -> Tensor:
    """Join one layer's outputs of all steps, each (environments, ...), as `Recording.join` says."""
    rows = [y.movedim(1, -1) for y in results]
    return torch.stack(rows, 1).flatten(0, 1).movedim(-1, 1)
