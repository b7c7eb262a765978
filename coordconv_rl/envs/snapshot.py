"""An emulator's whole state as plain data, and back: all that its future depends on."""

from __future__ import annotations

import time
from typing import Any

import ale_py
import numpy as np
from numpy.typing import NDArray

from coordconv_rl.envs.emulator import Emulator
from coordconv_rl.errors import InputError

State = tuple[dict[str, Any], dict[str, NDArray[np.uint8]]]
"""JSON-able values and arrays."""

_FIELDS = ("sticky_action", "lives", "game_ended", "game_return", "game_frames")


def save(emulator: Emulator) -> State:
    """Return the emulator's state.

    The emulator's own random state belongs to it, so `include_rng`; so do the last two screens,
    because a game that ends within an action shows older ones in its last observation.
    """
    values: dict[str, Any] = {name: getattr(emulator, name) for name in _FIELDS}
    values["seconds"] = time.time() - emulator.started
    values["np_random"] = emulator.env.np_random.bit_generator.state
    arrays = {
        "emulator": np.frombuffer(emulator.ale.cloneState(include_rng=True).serialize(), np.uint8),
        "frames": emulator.screen.frames.copy(),
        "stack": emulator.stack.copy(),
    }
    return values, arrays


def load(emulator: Emulator, state: State) -> None:
    """Put the emulator into a state of the same game and protocol.

    Raises:
        InputError: The state is incomplete or damaged.
    """
    values, arrays = state
    try:
        generator = np.random.Generator(np.random.PCG64())
        generator.bit_generator.state = values["np_random"]
        fields = {name: values[name] for name in _FIELDS}
        ale_state = ale_py.ALEState(arrays["emulator"].tobytes())
        np.copyto(emulator.screen.frames, arrays["frames"], casting="no")
        np.copyto(emulator.stack, arrays["stack"], casting="no")
        emulator.started = time.time() - values["seconds"]
    # nanobind turns what ALE throws at a bad state into a SystemError.
    except (KeyError, TypeError, ValueError, RuntimeError, SystemError) as error:
        raise InputError(f"the environment's snapshot is damaged: {error!r}") from error
    _restore(emulator.ale, ale_state)
    emulator.env._np_random = generator
    for name, value in fields.items():
        setattr(emulator, name, value)


def _restore(ale: ale_py.ALEInterface, state: ale_py.ALEState) -> None:
    """Put an emulator into a state, whatever it did before.

    ALE's states lack the screens' memory, whether a frame is unfinished, and which shapes are
    being drawn. Two frames from the state settle these; then it is restored once more.
    """
    ale.restoreState(state)
    for _ in range(2):
        ale.act(ale_py.Action.NOOP)
    ale.restoreState(state)
