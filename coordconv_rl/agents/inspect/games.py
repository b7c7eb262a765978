"""Games that an inspection plays: few, sampled, and none so long that it holds everything up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor

from coordconv_rl.agents.build import Model
from coordconv_rl.agents.evaluate import evaluation_env, rules_for
from coordconv_rl.agents.play import Game, play_games
from coordconv_rl.agents.training import GamesProgress
from coordconv_rl.configs import RunConfig
from coordconv_rl.runs import Treatment

# Five minutes at 60 frames a second: Mnih et al. 2015 (Nature 518, 529-533), Methods, judge agents
# on games of at most that length. An agent without its coordinates may wait for ever.
GAME_FRAMES = 18_000
FRAME_ENVS, FRAME_STEPS, FRAME_EVERY = 4, 256, 4  # 256 observations for the share


def play_treated(
    policies: Mapping[Treatment, ActorCriticPolicy],
    config: RunConfig,
    episodes: int,
    *,
    seed: int,
    on_step: Callable[[], None],
) -> dict[Treatment, tuple[list[float], int]]:
    """Play the games of all treatments side by side, with sampled actions.

    Each game ends at its end or after `GAME_FRAMES` frames.

    Args:
        policies: The agent by what it sees as coordinates.
        config: Its configuration.
        episodes: Games of each; game i has the seed `seed + i` and the same draws in all.
        seed: Seed of the environments and of the sampled actions.
        on_step: Called after every step; what it raises ends the games.

    Returns:
        For each treatment the raw scores, those of cut games as far as they came; and how many
        games were cut.
    """
    asked = [(name, number) for name in policies for number in range(episodes)]
    shown = GamesProgress("inspection", len(asked))

    def step(frames: int) -> None:
        on_step()
        shown.step(frames)

    played = play_games(
        lambda count: evaluation_env(config, count),
        [Game(policies[name], number) for name, number in asked],
        seed=seed,
        rules=rules_for(config, len(asked), longest=GAME_FRAMES),
        on_end=lambda place, end: shown.end(end.frames),
        on_step=step,
    )
    found: dict[Treatment, tuple[list[float], int]] = {}
    for place, name in enumerate(policies):
        own = played[place * episodes : (place + 1) * episodes]
        found[name] = [end.score for end in own], sum(end.why == "cut" for end in own)
    return found


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
