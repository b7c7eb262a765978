"""Several emulators of one game that step one after another, in this process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from coordconv_rl.envs.buffers import Buffers
from coordconv_rl.envs.emulator import Emulator
from coordconv_rl.envs.settings import Settings


class Group:
    """The emulators that write into `buffers`, one for each of its environments."""

    def __init__(self, settings: Settings, buffers: Buffers) -> None:
        self.buffers = buffers
        self.emulators = [
            Emulator(settings, stack, counters)
            for stack, counters in zip(buffers.stacks, buffers.counters, strict=True)
        ]

    def step(self) -> dict[int, dict[str, Any]]:
        """Step every emulator with its action, and begin the next episode where one ended.

        Returns:
            What SB3's infos hold at the end of an episode, by environment.
        """
        ends = {}
        actions = self.buffers.actions.tolist()
        for index, (emulator, action) in enumerate(zip(self.emulators, actions, strict=True)):
            self.buffers.rewards[index] = emulator.step(action)
            self.buffers.dones[index] = emulator.done
            if emulator.done:
                ends[index] = {"TimeLimit.truncated": emulator.truncated}
                if emulator.episode is not None:
                    ends[index]["episode"] = emulator.episode
                ends[index]["terminal_observation"] = emulator.stack.copy()
                emulator.reset()
        return ends

    def reset(self, seeds: Sequence[int | None]) -> None:
        """Begin an episode everywhere; None goes on with an emulator's present random state."""
        for emulator, seed in zip(self.emulators, seeds, strict=True):
            emulator.reset(seed)

    def close(self) -> None:
        """Close the emulators."""
        for emulator in self.emulators:
            emulator.env.close()
