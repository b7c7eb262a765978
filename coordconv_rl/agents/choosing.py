"""An agent's actions, each from its own observation and its own draw alone.

The order in which a processor adds numbers up depends on the size of a batch, in the last bits.
Where a choice of action is as close as that, it is made again from that observation alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.policies import ActorCriticPolicy

from coordconv_rl.sb3 import Judged

# Twenty times what float32 sums of a network's last layer differ by (measured: below 5e-7 of a
# probability, at batches of 1 to 64), and rare enough that it costs nothing.
TOO_CLOSE = 1e-5


def choose(
    judged: Judged,
    who: NDArray[np.intp],
    observations: NDArray[Any],
    draws: Sequence[float | None],
) -> NDArray[Any]:
    """Choose an action for each observation, whatever the others are.

    Args:
        judged: Who plays.
        who: For each observation its policy's place, (N,).
        observations: Shape (N, ...).
        draws: For each a number from 0 to 1 that a sampled action follows from, or None for the
            most likely action.

    Returns:
        Shape (N, ...), as the action space.
    """
    policies = judged.policies
    if not isinstance(policies[0].action_space, spaces.Discrete):
        each = zip(who, observations, draws, strict=True)
        return np.stack([_alone(policies[place], *one) for place, *one in each])
    chances = probabilities(judged, who, observations)
    numbers = np.array([np.nan if draw is None else draw for draw in draws])[:, None]
    for row in np.flatnonzero(_are_close(chances, numbers)):
        only = slice(row, row + 1)
        chances[row] = probabilities(judged, who[only], observations[only])[0]
    below = (np.cumsum(chances, axis=1) <= numbers).sum(axis=1)
    sampled = np.minimum(below, chances.shape[1] - 1)
    likeliest: NDArray[np.intp] = chances.argmax(axis=1)
    return np.where(np.isnan(numbers[:, 0]), likeliest, sampled)


def probabilities(
    judged: Judged, who: NDArray[np.intp], observations: NDArray[Any]
) -> NDArray[np.float64]:
    """Return the probability of each action, shape (N, actions)."""
    logits = judged.logits(who, observations)
    found: NDArray[np.float64] = logits.double().softmax(dim=1).cpu().numpy()
    return found


def _are_close(chances: NDArray[np.float64], numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return for each row whether rounding could decide its action; NaN is for the most likely."""
    gaps = np.abs(np.cumsum(chances, axis=1)[:, :-1] - numbers)
    if chances.shape[1] > 1:
        second, first = np.sort(chances, axis=1)[:, -2:].T
        gaps = np.where(np.isnan(numbers), (first - second)[:, None], gaps)
    close: NDArray[np.bool_] = np.any(gaps < TOO_CLOSE, axis=1)
    return close


def _alone(policy: ActorCriticPolicy, observation: NDArray[Any], draw: float | None) -> Any:
    """Choose one action of any kind, as SB3 does; a sampled one follows from the draw alone."""
    with torch.random.fork_rng():
        if draw is not None:
            torch.manual_seed(int(draw * 2**53))
        return policy.predict(observation[None], deterministic=draw is None)[0][0]
