"""What the five games share: sticky actions, scores, saving and loading."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from coordconv_rl.errors import InputError

NONE, LEFT, UP, RIGHT, DOWN, SHOOT = range(6)
LANES = 8  # rows 1 to 8, where things move in some games: lane i is row i + 1
STICKY_ACTIONS = 0.1  # Young and Tian 2019, section 2: the previous action is repeated that often


class MiniGame(ABC):
    """One game and its random generator; `begin` starts it and `step` plays it.

    Class attributes: `channels` names the image's channels, `actions` lists the actions that do
    something, `kept` names the attributes that, with the generator, decide the future.

    Attributes:
        random: Where all draws come from, in the original's order.
        last_action: The action played last; it outlives the episode, as in the original.
        terminal: Whether the game is over.
        game_return: Sum of the game's rewards so far.
        game_steps: Its steps so far.
    """

    channels: ClassVar[tuple[str, ...]]
    actions: ClassVar[tuple[int, ...]]
    kept: ClassVar[tuple[str, ...]]

    def __init__(self) -> None:
        self.started = time.time()
        self.last_action = NONE
        self.reseed(None)
        self.begin()

    def reseed(self, seed: int | None) -> None:
        """Draw from a fresh generator of that seed; None takes one from the operating system."""
        self._draw_from(np.random.RandomState(seed))

    def _draw_from(self, random: np.random.RandomState) -> None:
        self.random = random
        self.uniform: Callable[[], float] = random.random_sample

    def begin(self) -> None:
        """Start a new game."""
        self.terminal = False
        self.game_return = 0.0
        self.game_steps = 0
        self._begin()

    def step(self, action: int) -> int:
        """Play the action, or with probability 0.1 the previous one; return the reward."""
        if self.uniform() < STICKY_ACTIONS:
            action = self.last_action
        self.last_action = action
        reward = self._play(action)
        self.game_return += reward
        self.game_steps += 1
        return reward

    @abstractmethod
    def _begin(self) -> None:
        """Set the game up."""

    @abstractmethod
    def _play(self, action: int) -> int:
        """Play one step and return the reward; set `terminal` at the game's end."""

    @abstractmethod
    def picture(self) -> int:
        """Return what is seen: all channels in one integer, see `boards`."""

    def save(self) -> dict[str, Any]:
        """Return everything that the future depends on, as plain JSON data."""
        _, key, position, *_ = self.random.get_state(legacy=True)  # no game draws Gaussians
        return {
            "random": [np.asarray(key).tolist(), int(position)],
            "seconds": time.time() - self.started,
            **{name: _plain(getattr(self, name)) for name in (*_ALWAYS, *self.kept)},
        }

    def load(self, values: dict[str, Any]) -> None:
        """Go on from what `save` returned.

        Raises:
            InputError: Something is missing or of another kind; the game stays as it was.
        """
        try:
            key, position = values["random"]
            random = np.random.RandomState()
            random.set_state(("MT19937", np.array(key, np.uint32), position, 0, 0.0))
            started = time.time() - values["seconds"]
            found = {name: values[name] for name in (*_ALWAYS, *self.kept)}
            for name, value in found.items():
                if _kind(value) is not _kind(getattr(self, name)):
                    raise ValueError(f"{name} is {value!r}")
        except (LookupError, TypeError, ValueError, OverflowError) as error:
            raise InputError(f"the environment's snapshot is damaged: {error!r}") from error
        self._draw_from(random)
        self.started = started
        for name, value in found.items():
            setattr(self, name, value)


_ALWAYS = ("last_action", "terminal", "game_return", "game_steps")


def _plain(value: Any) -> Any:
    """Copy lists, which games change in place."""
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _kind(value: Any) -> type[Any]:
    """JSON writes 1.0 and 1 apart, but other writers do not."""
    return float if type(value) is float else type(value)
