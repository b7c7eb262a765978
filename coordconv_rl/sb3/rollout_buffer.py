"""A rollout buffer whose observations stay on the network's device."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.type_aliases import RolloutBufferSamples
from torch import Tensor

from coordconv_rl.errors import InputError

MOST_PLANES = 64  # channels that OpenCV joins; its own limit is larger and differs by version
SMALL_IMAGE = 1 << 12  # bytes of an image below which a call of OpenCV takes longer than it saves


_TO_TORCH = RolloutBuffer.to_torch


class DeviceRolloutBuffer(RolloutBuffer):
    """SB3's `RolloutBuffer` with uint8 images as one tensor on the device.

    Images lie there channels last, as the network wants them, and minibatches are gathered there.
    So an image is put in order once and crosses to a GPU once, instead of once an epoch, and the
    copy that SB3 makes of all observations before the first minibatch is saved. The samples,
    their order and the draws from NumPy's generator are SB3's. Takes what `RolloutBuffer` takes.

    Attributes:
        observations: (steps, environments, C, H, W) uint8, on the device; after `get`,
            (environments * steps, C, H, W), the first environment's first. An array or tensor
            that is assigned is what minibatches come from.

    Raises:
        InputError: If observations are not uint8 images.
    """

    observations: Tensor  # type: ignore[assignment]

    def __init__(
        self,
        buffer_size: int,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        device: torch.device | str = "auto",
        gae_lambda: float = 1,
        gamma: float = 0.99,
        n_envs: int = 1,
    ) -> None:
        """Refuse what are no uint8 images, then build as SB3 does; see the class."""
        if not isinstance(observation_space, spaces.Box) or observation_space.dtype != np.uint8:
            raise InputError(
                f"found observations {observation_space}, wanted uint8 images: use SB3's "
                "RolloutBuffer, or DictRolloutBuffer for a Dict"
            )
        self._frames: Tensor | None = None
        super().__init__(
            buffer_size, observation_space, action_space, device, gae_lambda, gamma, n_envs
        )

    def reset(self) -> None:
        """Forget the rollout; as in SB3, what somebody keeps of its images stays as it is."""
        super().reset()
        self._frames = None  # first: there is room for one rollout
        channels, *image = self.obs_shape
        shape = (self.n_envs, self.buffer_size, *image, channels)
        self._frames = torch.zeros(shape, dtype=torch.uint8, device=self.device)
        flat, steps = self._frames.flatten(0, 1).movedim(-1, 1), self._by_steps()
        self._layouts = [(view.shape, view.stride()) for view in (flat, steps)]
        self.observations = steps

    def _by_steps(self) -> Tensor:
        """Return a view of what is stored, (steps, environments, C, H, W)."""
        assert self._frames is not None
        return self._frames.movedim(-1, 2).transpose(0, 1)

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
        """Store the images of all environments, converted as NumPy converts what is assigned."""
        shape = (self.n_envs, *self.obs_shape)
        if type(obs) is not np.ndarray or obs.dtype != np.uint8 or obs.shape != shape:
            images = np.empty(shape, np.uint8)
            images[...] = np.array(obs)
            obs = images
        elif not obs.flags.writeable or min(obs.strides) < 0:  # torch takes no such array
            obs = obs.copy()
        frames = self.frames()
        if frames is None or not frames.is_cpu or not _is_merged(self.obs_shape):
            self.observations[self.pos] = torch.as_tensor(obs)
        else:
            merge(obs, self._step(frames.numpy(), self.pos))

    def _step(self, frames: Any, step: int) -> Any:
        """Return one step's images of all environments, (environments, H, W, C), a view."""
        return frames.reshape(self.n_envs, self.buffer_size, *frames.shape[1:])[:, step]

    def frames(self) -> Tensor | None:
        """Return all images as they lie in memory, (environments * steps, H, W, C).

        Returns:
            A view; None where `observations` is no more what this buffer made, or no images.
        """
        own, found = self._frames, self.observations
        assert own is not None
        is_own = (
            type(found) is Tensor
            and len(self.obs_shape) == 3
            and found.data_ptr() == own.data_ptr()
            and found.dtype == own.dtype
            and (found.shape, found.stride()) in self._layouts
        )
        return own.flatten(0, 1) if is_own else None

    @staticmethod
    def snapshot(images: Tensor) -> Tensor:
        """Copy images, (environments, C, H, W), to (environments, H, W, C) for `is_shown`.

        In the order of the buffer, because comparing in two orders takes several times as long.
        """
        last = images.movedim(1, -1)
        copied = torch.empty(last.shape, dtype=images.dtype, device=images.device)
        if not images.is_cpu or images.dtype != torch.uint8 or not _is_merged(images.shape[1:]):
            return copied.copy_(last)
        merge(images.numpy(), copied.numpy())
        return copied

    def is_shown(self, step: int, copied: Tensor) -> bool:
        """Tell whether the buffer holds at a step the images that `snapshot` was given."""
        frames = self.frames()
        if frames is None or copied.shape != (self.n_envs, *frames.shape[1:]):
            return False
        stored = self._step(frames, step)
        if not frames.is_cpu:
            return torch.equal(stored, copied)
        return np.array_equal(stored.numpy(), copied.numpy())  # several times as fast as torch's

    def _get_samples(
        self, batch_inds: np.ndarray[Any, Any], env: object = None
    ) -> RolloutBufferSamples:
        """Gather one minibatch; its images lie as SB3's do, channels first."""
        return self._sample(self._gather(batch_inds).contiguous(), batch_inds)

    def _gather(self, batch_inds: np.ndarray[Any, Any]) -> Tensor:
        """Gather the images of a minibatch, (N, C, H, W), channels last."""
        held: Any = self.observations
        if not isinstance(held, Tensor):  # somebody put an array there, as SB3's buffer has
            return self.to_torch(held[batch_inds])
        if getattr(self.to_torch, "__func__", None) is not _TO_TORCH:  # which takes arrays
            return self.to_torch(held.cpu().numpy()[batch_inds])
        inds = torch.from_numpy(batch_inds).to(held.device)
        images = held.movedim(1, -1).index_select(0, inds).movedim(-1, 1)
        return images.to(self.device)

    def _sample(
        self, images: Tensor, batch_inds: np.ndarray[Any, Any] | slice
    ) -> RolloutBufferSamples:
        return RolloutBufferSamples(
            images,
            self.to_torch(self.actions[batch_inds].astype(np.float32, copy=False)),
            *(
                self.to_torch(array[batch_inds].flatten())
                for array in (self.values, self.log_probs, self.advantages, self.returns)
            ),
        )


def _is_merged(image: Sequence[int]) -> bool:
    """Tell whether `merge` is for images of that shape, (C, H, W), and the fastest way."""
    return len(image) == 3 and 1 < image[0] <= MOST_PLANES and math.prod(image) > SMALL_IMAGE


def merge(images: np.ndarray[Any, Any], frames: np.ndarray[Any, Any]) -> None:
    """Write images (N, C, H, W) into frames (N, H, W, C), five times as fast as `frames[:] = `.

    Args:
        images: uint8.
        frames: uint8, each contiguous: into any others OpenCV writes nothing, in silence.
    """
    for planes, frame in zip(images, frames, strict=True):
        if cv2.merge(tuple(planes), frame) is not frame:
            raise RuntimeError(f"OpenCV did not join {images.dtype} planes into {frames.dtype}")
