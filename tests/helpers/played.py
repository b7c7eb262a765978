"""Real Atari observations for tests of the fast path."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

from coordconv_rl import AtariVecEnv

ENVS, STEPS = 2, 32


@cache
def breakout() -> Tensor:
    """Return real observations, (64, 84, 84, 4), the first environment's first."""
    env = AtariVecEnv("Breakout", ENVS, seed=3)
    rng = np.random.default_rng(3)
    env.reset()
    seen = [env.step(rng.integers(env.action_space.n, size=ENVS))[0].copy() for _ in range(STEPS)]
    env.close()
    return torch.from_numpy(np.stack(seen, 1).reshape(-1, 4, 84, 84)).movedim(1, -1).contiguous()
