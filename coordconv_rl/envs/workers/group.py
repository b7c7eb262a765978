"""Several emulators of one game that step one after another, in this process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coordconv_rl.envs import snapshot
from coordconv_rl.envs.emulator import Emulator
from coordconv_rl.envs.loaded_game import give_back_game
from coordconv_rl.envs.settings import GameSettings
from coordconv_rl.envs.tower import Tower
from coordconv_rl.envs.workers.shared_arrays import SharedArrays

Ends = dict[int, dict[str, Any]]
"""What SB3's infos hold at the end of an episode, by environment."""


class Group:
    """The emulators that write into `arrays`, one for each of its environments."""

    def __init__(self, settings: GameSettings, arrays: SharedArrays) -> None:
        self._whole: set[int] = set()  # where a game that ends is not followed by another
        self._resting: set[int] = set()
        self.arrays = arrays
        self.emulators = [
            Emulator(settings, stack, counters)
            for stack, counters in zip(arrays.stacks, arrays.counters, strict=True)
        ]
        self.towers = [Tower(emulator) for emulator in self.emulators]
        self._held = [emulator.env for emulator in self.emulators]

    def start(self, actions: NDArray[np.integer[Any]]) -> None:
        """Begin a step with these actions, (n_envs,); here it waits for `finish`."""
        self.arrays.actions[:] = actions

    def finish(self) -> Ends:
        """Step every emulator with its action, and begin the next episode where one ended."""
        self._check_open()
        ends = {}
        actions = self.arrays.actions.tolist()
        for index, (emulator, action) in enumerate(zip(self.emulators, actions, strict=True)):
            if index in self._resting:
                self.arrays.rewards[index], self.arrays.dones[index] = 0.0, False
                continue
            self.arrays.rewards[index] = emulator.step(action)
            self.arrays.dones[index] = emulator.done
            if emulator.done:
                ends[index] = {
                    "TimeLimit.truncated": emulator.truncated,
                    "terminal_observation": emulator.stack.copy(),
                }
                if emulator.episode is not None:
                    ends[index]["episode"] = emulator.episode
                if index in self._whole:
                    self._resting.add(index)
                else:
                    emulator.reset()
        return ends

    def reset(self, seeds: Sequence[int | None]) -> None:
        """Begin an episode everywhere; None goes on with an emulator's present random state."""
        self._check_open()
        for emulator, seed in zip(self.emulators, seeds, strict=True):
            emulator.reset(seed)

    def begin(self, seeds: Mapping[int, int]) -> None:
        """Begin games by seed; when one has ended, its emulator rests until the next call."""
        for index, seed in seeds.items():
            self.emulators[index].reset(seed)
        self._whole.update(seeds)
        self._resting.difference_update(seeds)

    def rest(self, indices: Iterable[int]) -> None:
        """Play these no further: no reward, and the same observation."""
        self._resting.update(indices)

    def save(self) -> list[snapshot.State]:
        """Return every emulator's state."""
        return [snapshot.save(emulator) for emulator in self.emulators]

    def load(self, states: Sequence[snapshot.State]) -> None:
        """Put every emulator into its state."""
        for emulator, state in zip(self.emulators, states, strict=True):
            snapshot.load(emulator, state)

    def get(self, indices: Iterable[int], name: str) -> list[Any]:
        """Return an attribute of the towers at the indices."""
        return [getattr(self.towers[index], name) for index in indices]

    def set(self, indices: Iterable[int], name: str, value: Any) -> None:
        """Set an attribute of the towers at the indices."""
        for index in indices:
            setattr(self.towers[index], name, value)

    def call(
        self, indices: Iterable[int], name: str, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> list[Any]:
        """Call a method of the towers at the indices."""
        self._check_open()
        return [getattr(self.towers[index], name)(*args, **kwargs) for index in indices]

    def _check_open(self) -> None:
        """Raise `RuntimeError` if the loaded games are given back: others may play with them."""
        if not self._held:
            raise RuntimeError("the environment is closed")

    def close(self) -> None:
        """Give the loaded games back, for others."""
        while self._held:
            give_back_game(self._held.pop())
