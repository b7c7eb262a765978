"""Prepared weights: of one rollout's steps, and of what else acts.

While a rollout is collected the weights stand still. So they are brought into the network's
precision once; and where training evaluates the whole rollout with the weights that acted, as
A2C does, what the layers gave is recorded; see `recording`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from coordconv_rl.fast.changed_images import ChangedImages
from coordconv_rl.fast.gate import KnownLayers
from coordconv_rl.fast.network import Computation, Network, for_acting, outputs, prepare
from coordconv_rl.fast.recording import Prepared, Recording
from coordconv_rl.fast.weights_seen import WeightsSeen

Found: TypeAlias = dict[tuple[int, bool, bool, bool], Prepared]
"""Prepared networks, by linear layer, blindness, inference mode and whether one is recorded."""

KEPT_NETWORKS = 16  # at most: two layers, each with all that tells them apart

StepTest: TypeAlias = Callable[[Tensor], bool]
"""Tells whether images are those of a rollout's step, not what a callback looks at beside it."""


@dataclass(eq=False)
class _Rollout:
    """The rollout that a thread collects.

    Attributes:
        is_step: Which images are its own.
        recording: What keeps its steps, if anything does.
        prepared: What its steps act with, from the first one on. Whoever clears the cache within
            the rollout leaves it: an evaluation must not change training.
    """

    is_step: StepTest
    recording: Recording | None = None
    prepared: Found | None = None


class _Own(threading.local):
    """What one thread prepared, since which `ActingCache.clear`; the rollout that it collects."""

    def __init__(self) -> None:
        self.prepared: Found = {}
        self.cleared: object = None
        self.rollout: _Rollout | None = None


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
        """Forget all networks but those of a rollout's steps.

        Another thread does before it acts again outside of a rollout.
        """
        own = self._own
        own.prepared = {}
        own.cleared = self._cleared = object()

    def get(self, layers: KnownLayers, computation: Computation) -> Network:
        """Return what `prepare` would for acting, made anew only if something is not as it was."""
        own = self._own
        if own.cleared is not self._cleared and own.rollout is None:
            own.cleared = self._cleared
            own.prepared = {}
        return self._get(own.prepared, layers, computation).network

    def features(
        self, layers: KnownLayers, computation: Computation, frames: Tensor, *, noted: bool
    ) -> Tensor:
        """Compute features as `network.features` does, without gradients.

        Args:
            layers: What the gate found.
            computation: How to compute.
            frames: Shape (N, C, H, W), uint8.
            noted: Whether this is a step of a rollout, if one is collected and has these images.
        """
        own, rollout = self._own, self._own.rollout
        # Only a rollout's steps follow each other. What is computed of changes depends, in its last
        # bits, on what else changed; an evaluation's games must not depend on each other.
        if not noted or rollout is None or not rollout.is_step(frames):
            return outputs(self.get(layers, computation), frames)[-1].float()
        if rollout.prepared is None:
            rollout.prepared = own.prepared
        prepared = self._get(rollout.prepared, layers, computation)
        results = prepared.next_outputs(frames)
        if rollout.recording is not None:
            rollout.recording.note(prepared, frames, results)
        # A copy: whoever acts with features may write into them, and what is kept must stay.
        return results[-1].to(torch.float32, copy=True)

    @contextmanager
    def collecting(self, is_step: StepTest, recording: Recording | None = None) -> Iterator[None]:
        """Let this thread's steps follow each other until the block ends, however it does.

        One rollout may be collected in the midst of another.

        Args:
            is_step: Which images are the rollout's own.
            recording: Is told of its steps.
        """
        own = self._own
        outer, own.rollout = own.rollout, _Rollout(is_step, recording)
        try:
            yield
        finally:
            own.rollout = outer
            # What was recorded is for one update: its graph serves one backward pass.
            own.prepared = {key: found for key, found in own.prepared.items() if not key[-1]}

    def _get(self, known: Found, layers: KnownLayers, computation: Computation) -> Prepared:
        """Find or make what acts; what a rollout records it makes for its update as well."""
        rollout = self._own.rollout
        is_inference = torch.is_inference_mode_enabled()
        is_recorded = rollout is not None and rollout.recording is not None
        key = (id(layers.linear), computation.is_blind, is_inference, is_recorded)
        found = known.get(key)
        if found is None or not found.is_of(layers, computation):
            # Before they are used: another thread may train or change them.
            seen, shuffle_seeds = WeightsSeen(layers.weights), layers.shuffle_seeds
            with torch.set_grad_enabled(is_recorded):
                learning = prepare(layers, computation)
            network = for_acting(learning, packing=not is_recorded)
            found = Prepared(
                computation, is_inference, seen, shuffle_seeds,
                network, learning, ChangedImages(network),
            )  # fmt: skip
            # More are of layers that others took the place of.
            if key not in known and len(known) >= KEPT_NETWORKS:
                known.clear()
            known[key] = found
        return found
