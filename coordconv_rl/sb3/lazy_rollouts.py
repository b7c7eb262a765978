"""Views of a rollout for training: minibatches whose images are gathered only if looked at."""

from __future__ import annotations

import weakref
from functools import partial
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.type_aliases import RolloutBufferSamples
from torch import Tensor

from coordconv_rl.fast import LazyImages, Limits, Observations, PatchIndex, Recorded
from coordconv_rl.sb3.rollout_buffer import DeviceRolloutBuffer


class _View(DeviceRolloutBuffer):
    """Another's rollout: all attributes are the buffer's own, read and written."""

    __slots__ = ("_given", "_limits")

    def __init__(self, buffer: DeviceRolloutBuffer, limits: Limits | None) -> None:
        self.__dict__ = buffer.__dict__
        self._limits = limits
        self._given: list[weakref.ref[LazyImages]] = []

    def settle(self) -> None:
        """Gather what somebody keeps of the minibatches, before the next rollout is written."""
        for reference in self._given:
            images = reference()
            if images is not None:
                images.images()

    def _lazily(
        self, images: LazyImages, batch_inds: np.ndarray[Any, Any] | slice
    ) -> RolloutBufferSamples:
        self._given.append(weakref.ref(images))
        return self._sample(images, batch_inds)

    def _find(self, inds: np.ndarray[Any, Any]) -> PatchIndex | None:
        """Look for patches that come again in the rollout; a minibatch decides what gains."""
        frames = self.frames()
        if self._limits is None or frames is None or not PatchIndex.is_indexable(frames):
            return None
        return PatchIndex(frames, inds, self._limits)

    def _kind(self, count: int) -> Observations:
        # Their own device has an index, as the parameters' has; self.device may be just "cuda".
        shape = torch.Size((count, *self.obs_shape))
        return Observations(shape, torch.uint8, self.observations.device)


class PatchRollout(_View):
    """A rollout whose minibatches know their distinct patches, where that gains.

    Args:
        buffer: The rollout; its images must stay as they are.
        limits: What is a gain.
    """

    __slots__ = ("_index", "_is_searched")

    def __init__(self, buffer: DeviceRolloutBuffer, limits: Limits) -> None:
        super().__init__(buffer, limits)
        self._index: PatchIndex | None = None
        self._is_searched = False

    def _get_samples(
        self, batch_inds: np.ndarray[Any, Any], env: object = None
    ) -> RolloutBufferSamples:
        """Return one minibatch, its images not gathered."""
        if not self._is_searched:
            self._index = self._find(batch_inds)
            self._is_searched = True
        patches = self._index.minibatch(batch_inds) if self._index is not None else None
        if self.frames() is None:
            return super()._get_samples(batch_inds)
        gather = partial(self._gather, batch_inds)
        return self._lazily(LazyImages(self._kind(len(batch_inds)), gather, patches), batch_inds)


class RecordedRollout(_View):
    """A rollout for which acting's outputs are known, as one minibatch in the order of memory.

    The draw of an order from NumPy's generator takes place all the same. Sums do not depend on it;
    `FastA2C` takes this view only where nothing else can.

    Args:
        buffer: The rollout.
        recorded: What acting computed for it.
        limits: Where it gains to look for patches that come again; None where it does not.
    """

    __slots__ = ("_recorded",)

    def __init__(
        self, buffer: DeviceRolloutBuffer, recorded: Recorded, limits: Limits | None
    ) -> None:
        super().__init__(buffer, limits)
        self._recorded = recorded

    def _get_samples(
        self, batch_inds: np.ndarray[Any, Any], env: object = None
    ) -> RolloutBufferSamples:
        """Return all samples; a part of them as SB3 does."""
        count = self.buffer_size * self.n_envs
        if len(batch_inds) != count:
            return super()._get_samples(batch_inds)
        index = self._find(np.arange(count))
        patches = index.whole() if index is not None else None
        images = LazyImages(self._kind(count), self._all, patches, self._recorded)
        return self._lazily(images, slice(None))

    def _all(self) -> Tensor:
        return self.observations
