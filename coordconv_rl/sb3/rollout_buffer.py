"""A rollout buffer whose observations stay on the network's device."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.type_aliases import RolloutBufferSamples
from torch import Tensor

from coordconv_rl.errors import InputError
from coordconv_rl.fast import Limits, Minibatch, Repeats


class DeviceRolloutBuffer(RolloutBuffer):
    """SB3's `RolloutBuffer` with uint8 images as one tensor on the device.

    Images lie there channels last, as the network wants them, and minibatches are gathered there.
    So an image is put in order once and crosses to a GPU once, instead of once an epoch, and the
    copy that SB3 makes of all observations before the first minibatch is saved. The samples,
    their order and the draws from NumPy's generator are SB3's. Takes what `RolloutBuffer` takes.

    Attributes:
        in_order: Whether a minibatch that is the whole rollout comes as it lies in memory, all
            steps of the first environment first, and not in the order drawn (False). It saves a
            copy of all images; the draw from NumPy's generator takes place all the same.
        find_repeats: Limits for `repeats.Repeats` (None). While they are set, minibatches come
            without their images where `repeats_of` tells what these have in common: then the
            observations are on torch's device "meta", they have a shape and no contents.

    Raises:
        InputError: If observations are not uint8 images.
    """

    observations: Tensor  # type: ignore[assignment]
    in_order: bool = False
    find_repeats: Limits | None = None

    def __init__(
        self,
        buffer_size: int,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        device: torch.device | str = "auto",
        **settings: Any,
    ) -> None:
        if not isinstance(observation_space, spaces.Box) or observation_space.dtype != np.uint8:
            raise InputError(
                f"found observations {observation_space}, wanted uint8 images: use SB3's "
                "RolloutBuffer, or DictRolloutBuffer for a Dict"
            )
        self._frames: Tensor | None = None
        self._repeats: Repeats | None = None
        self._last: tuple[Tensor, Minibatch] | None = None
        super().__init__(buffer_size, observation_space, action_space, device, **settings)

    def reset(self) -> None:
        """Forget the rollout."""
        super().reset()
        self._repeats = self._last = None
        if self._frames is None:
            channels, *image = self.obs_shape
            shape = (self.n_envs, self.buffer_size, *image, channels)
            self._frames = torch.zeros(shape, dtype=torch.uint8, device=self.device)
        self.observations = self._frames.movedim(-1, 2).transpose(0, 1)

    def add(
        self,
        obs: np.ndarray[Any, Any],
        action: np.ndarray[Any, Any],
        reward: np.ndarray[Any, Any],
        episode_start: np.ndarray[Any, Any],
        value: Tensor,
        log_prob: Tensor,
    ) -> None:
        """Store one environment step of all environments; as in `RolloutBuffer`."""
        self._store(obs)
        self.actions[self.pos] = action.reshape(self.n_envs, self.action_dim)
        self.rewards[self.pos] = reward
        self.episode_starts[self.pos] = episode_start
        self.values[self.pos] = value.detach().cpu().numpy().flatten()
        self.log_probs[self.pos] = log_prob.detach().cpu().numpy().flatten()
        self.pos += 1
        self.full = self.pos == self.buffer_size

    def _store(self, obs: np.ndarray[Any, Any]) -> None:
        """Store the images of all environments, channels last."""
        assert self._frames is not None
        if self._frames.is_cuda or len(self.obs_shape) != 3 or self.obs_shape[0] == 1:
            self.observations[self.pos].copy_(torch.as_tensor(obs))
            return
        frames = self._frames.numpy()[:, self.pos]
        for planes, frame in zip(obs, frames, strict=True):
            cv2.merge(tuple(planes), frame)  # five times as fast as a copy that changes the order

    def _get_samples(
        self, batch_inds: np.ndarray[Any, Any], env: object = None
    ) -> RolloutBufferSamples:
        """Gather one minibatch."""
        if self.in_order and len(batch_inds) == self.buffer_size * self.n_envs:
            return self._sample(self.observations, slice(None))
        if self.find_repeats is not None:
            if self._repeats is None:
                self._repeats = self._found(self.find_repeats, batch_inds)
            batch = self._repeats.minibatch(batch_inds) if self._repeats is not None else None
            if batch is not None:
                shape = (len(batch_inds), *self.obs_shape)
                images = torch.empty(shape, dtype=torch.uint8, device="meta")
                self._last = (images, batch)
                return self._sample(images, batch_inds)
        inds = torch.from_numpy(batch_inds).to(self.device)
        frames = self.observations.movedim(1, -1).index_select(0, inds).movedim(-1, 1)
        return self._sample(frames, batch_inds)

    def _found(self, limits: Limits, inds: np.ndarray[Any, Any]) -> Repeats | None:
        assert self._frames is not None
        frames = self._frames.flatten(0, 1)
        return Repeats(frames, inds, limits) if Repeats.fits(frames) else None

    def repeats(self, limits: Limits) -> Minibatch | None:
        """Return what all images of the rollout have in common, or None where nothing is gained.

        They are in the order in which they lie in memory; see `in_order`.
        """
        found = self._found(limits, np.arange(self.buffer_size * self.n_envs))
        return found.whole() if found is not None else None

    def repeats_of(self, obs: Tensor) -> Minibatch | None:
        """Return what the images of the last minibatch have in common.

        Args:
            obs: Observations; of any others than the last minibatch's, nothing is known.

        Returns:
            What `distinct.convolutions` takes, or None where nothing is known or gained.
        """
        if self._last is None or self._last[0] is not obs:
            return None
        return self._last[1]

    def _sample(
        self, frames: Tensor, batch_inds: np.ndarray[Any, Any] | slice
    ) -> RolloutBufferSamples:
        return RolloutBufferSamples(
            frames,
            self.to_torch(self.actions[batch_inds].astype(np.float32, copy=False)),
            *(
                self.to_torch(array[batch_inds].flatten())
                for array in (self.values, self.log_probs, self.advantages, self.returns)
            ),
        )
