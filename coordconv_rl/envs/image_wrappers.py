"""Images of any kind to what SB3 takes: uint8, channels first."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.monitor import Monitor

from coordconv_rl.errors import InputError

_Image = NDArray[np.uint8]
AnyEnv = gym.Env[Any, Any]


class ByteImages(gym.ObservationWrapper[Any, Any, Any]):
    """Images as uint8 in [0, 255], (height, width, channels), which Gymnasium's wrappers take.

    Images come as (height, width), or with channels last or first (the smallest axis tells); as
    uint8, bool, integers or floats between finite bounds, which are scaled to 0 to 255 and rounded.

    Args:
        env: An environment.
        label: What errors call it.

    Raises:
        InputError: Its observations are no such images.
    """

    def __init__(self, env: AnyEnv, label: str) -> None:
        super().__init__(env)
        space = env.observation_space
        if not isinstance(space, spaces.Box) or len(space.shape) not in (2, 3):
            raise InputError(
                f"{label} observes {_named(space)}, wanted images, a Box of shape (height, width), "
                "(height, width, channels) or (channels, height, width)"
            )
        self._channels_first = len(space.shape) == 3 and _channels_first(space.shape, label)
        self._low, self._scale = _range(space, label)
        image = np.broadcast_to(np.uint8(0), space.shape)
        self.observation_space = spaces.Box(0, 255, self._moved(image).shape, np.uint8)

    def observation(self, observation: Any) -> _Image:
        """Return the image as bytes, channels last."""
        image = np.asarray(observation)
        if image.dtype != np.uint8 or self._scale != 1:
            scaled = (image.astype(np.float64) - self._low) * self._scale
            image = np.rint(scaled).clip(0, 255).astype(np.uint8)
        return self._moved(image)

    def _moved(self, image: _Image) -> _Image:
        if image.ndim == 2:
            return image[..., None]
        return np.moveaxis(image, 0, -1) if self._channels_first else image


def _channels_first(shape: tuple[int, ...], label: str) -> bool:
    """Say whether the first axis is the channels: the one that is smaller than all others."""
    first, middle, last = shape
    if last < min(first, middle):
        return False
    if first < min(middle, last):
        return True
    raise InputError(
        f"{label} observes images of shape {shape}, where no axis tells itself as the channels: "
        "wanted fewer channels than pixels a side, first or last"
    )


def _range(space: spaces.Box, label: str) -> tuple[float, float]:
    """Return the lowest value of an image, and what to multiply it with."""
    low, high = float(space.low.min()), float(space.high.max())
    if space.dtype == np.uint8 and (low, high) == (0.0, 255.0):
        return 0.0, 1.0
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise InputError(
            f"{label} observes {space.dtype} images in [{low}, {high}], wanted finite bounds: "
            "declare what its pixels can be"
        )
    return low, 255 / (high - low)


class ChannelsFirst(gym.ObservationWrapper[Any, Any, Any]):
    """The outermost wrapper: (height, width, channels) or a stack of these to channels first.

    Of a stack (images, height, width, channels), image i has the channels from i * channels on.
    `render` falls back on what was observed last, where the environment draws nothing itself.

    Args:
        env: An environment of byte images, channels last.
        monitor: The Monitor below it.
    """

    def __init__(self, env: AnyEnv, monitor: Monitor) -> None:
        super().__init__(env)
        assert isinstance(env.observation_space, spaces.Box)
        self._monitor = monitor
        self._last = np.zeros(env.observation_space.shape, np.uint8)
        shape = self._moved(self._last).shape
        self.observation_space = spaces.Box(0, 255, shape, np.uint8)

    @property
    def render_mode(self) -> str:  # type: ignore[override]
        """What SB3 asks before it asks for images to watch."""
        return "rgb_array"

    @property
    def game_return(self) -> float:
        """The present game's rewards so far."""
        return float(sum(self._monitor.rewards))

    def observation(self, observation: Any) -> _Image:
        """Move the channels to the front."""
        self._last = np.asarray(observation)
        return self._moved(self._last)

    @staticmethod
    def _moved(image: _Image) -> _Image:
        if image.ndim == 3:
            return np.ascontiguousarray(image.transpose(2, 0, 1))
        stack, height, width, channels = image.shape
        return image.transpose(0, 3, 1, 2).reshape(stack * channels, height, width)

    def render(self) -> Any:
        """Return the game as RGB, (height, width, 3)."""
        unwrapped = self.env.unwrapped
        if unwrapped.render_mode == "rgb_array":
            return self.env.render()
        image = self._last if self._last.ndim == 3 else self._last[-1]
        return image if image.shape[-1] == 3 else image.max(-1, keepdims=True).repeat(3, axis=2)


def check_actions(env: AnyEnv, label: str) -> None:
    """Raise `InputError` unless the actions are of a kind that A2C and PPO choose."""
    space = env.action_space
    if not (
        (isinstance(space, spaces.Box) and space.is_bounded())
        or (isinstance(space, spaces.Discrete) and space.start == 0)
        or isinstance(space, spaces.MultiDiscrete | spaces.MultiBinary)
    ):
        raise InputError(
            f"{label} takes actions {_named(space)}, wanted Discrete from 0, MultiDiscrete, "
            "MultiBinary, or a Box with finite bounds"
        )


def _named(space: spaces.Space[Any]) -> str:
    text = " ".join(str(space).split())
    return text if len(text) < 80 else f"{text[:76]} ..."
