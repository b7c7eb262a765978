"""What acting computed in a rollout, for A2C's update, which evaluates it with the same weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor

from coordconv_rl.fast.changed_images import ChangedImages
from coordconv_rl.fast.gate import KnownLayers
from coordconv_rl.fast.network import Computation, Network, outputs, prepare
from coordconv_rl.fast.weights_seen import WeightsSeen

Copier: TypeAlias = Callable[[Tensor], Any]
"""Copies images, (environments, C, H, W), so that they can be compared with a rollout's."""


@dataclass(frozen=True, eq=False)
class Prepared:
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

    def __init__(self, prepared: Prepared, outputs: tuple[Tensor, ...]) -> None:
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
    prepared: Prepared
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

    def note(self, prepared: Prepared, frames: Tensor, results: tuple[Tensor, ...]) -> None:
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


def _by_environment(results: tuple[Tensor, ...]) -> Tensor:
    """Join one layer's outputs of all steps, each (environments, ...), as `Recording.join` says."""
    rows = [y.movedim(1, -1) for y in results]
    return torch.stack(rows, 1).flatten(0, 1).movedim(-1, 1)
