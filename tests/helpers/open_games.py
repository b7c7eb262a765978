"""Atari environments that are closed behind their test, so that the next one finds games loaded.

Loading a game takes 0.1 s. `tests/envs/test_loaded_game.py` holds that one that was given back by
`close` is as good as new.
"""

from __future__ import annotations

from typing import Any

from coordconv_rl.envs.atari import AtariVecEnv

_open: list[AtariVecEnv] = []


def atari(*args: Any, **options: Any) -> AtariVecEnv:
    """Make an environment that `close_all` closes."""
    env = AtariVecEnv(*args, **options)
    _open.append(env)
    return env


def close_all() -> None:
    """Close what `atari` made since the last call."""
    while _open:
        _open.pop().close()
