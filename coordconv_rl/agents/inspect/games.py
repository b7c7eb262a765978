"""Games that an inspection plays: few, sampled, and none so long that it holds everything up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from coordconv_rl.agents.build import Model
from coordconv_rl.agents.evaluate import MAX_ENVS, evaluation_env
from coordconv_rl.configs import RunConfig

# Five minutes at 60 frames a second: Mnih et al. 2015 (Nature 518, 529-533), Methods, judge agents
# on games of at most that length. An agent without its coordinates may wait for ever.
GAME_FRAMES = 18_000
STEP_FRAMES = 4  # emulator frames of one environment step
FRAME_ENVS, FRAME_STEPS, FRAME_EVERY = 4, 256, 4  # 256 observations for the share


def play_capped(
    model: Model, config: RunConfig, episodes: int, *, seed: int, on_step: Callable[[], None]
) -> tuple[list[float], int]:
    """Play games with sampled actions, each to its end or to its first `GAME_FRAMES` frames.

    Args:
        model: The agent.
        config: Its configuration.
        episodes: Games to play; game i has the seed `seed + i`.
        seed: Seed of the environments and of the sampled actions.
        on_step: Called after every step; what it raises ends the games.

    Returns:
        The raw scores, those of cut games as far as they came; and how many were cut.
    """
    scores: list[float] = []
    cut = 0
    devices = [model.device] if model.device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        while len(scores) < episodes:
            games = min(MAX_ENVS, episodes - len(scores))
            found, unfinished = _play_together(model, config, games, seed + len(scores), on_step)
            scores += found
            cut += unfinished
    return scores, cut


def _play_together(
    model: Model, config: RunConfig, games: int, seed: int, on_step: Callable[[], None]
) -> tuple[list[float], int]:
    """Play one game in each of as many environments; return scores and how many were cut."""
    env = evaluation_env(config, games, seed=seed)
    ended: dict[int, float] = {}
    try:
        observation: Any = env.reset()
        for _ in range(GAME_FRAMES // STEP_FRAMES):
            actions, _ = model.predict(observation, deterministic=False)
            observation, _, dones, infos = env.step(actions)
            for index in map(int, np.flatnonzero(dones)):
                ended.setdefault(index, float(infos[index]["episode"]["r"]))
            if len(ended) == games:
                break
            on_step()
        so_far = env.get_attr("game_return")
    finally:
        env.close()
    return [ended.get(index, float(so_far[index])) for index in range(games)], games - len(ended)


def own_observations(model: Model, config: RunConfig, seed: int) -> Tensor:
    """Return observations of the agent's own games, shape (N, C, H, W), uint8."""
    env = evaluation_env(config, FRAME_ENVS, seed=seed)
    kept = []
    try:
        with torch.random.fork_rng([]):
            torch.manual_seed(seed)
            observation: Any = env.reset()
            for step in range(FRAME_STEPS):
                if step % FRAME_EVERY == 0:
                    kept.append(torch.from_numpy(observation.copy()))
                actions, _ = model.predict(observation, deterministic=False)
                observation, *_ = env.step(actions)
    finally:
        env.close()
    return torch.cat(kept)
