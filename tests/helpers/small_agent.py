"""An agent that is trained in a second: MinAtar's Breakout, ten by ten cells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from coordconv_rl.agents import train_agent
from coordconv_rl.configs import Evaluation, RunConfig, new_run


def small_config(arm: Any = "coordconv", episodes: int = 0, **changes: Any) -> RunConfig:
    import dataclasses

    settings = {"n_envs": 2, "n_steps": 16, "batch_size": 16, "n_epochs": 1}
    values = {
        "game": "minatar/breakout",
        "arm": arm,
        "steps": 64,
        "hyperparameters": settings,
        **changes,
    }
    return dataclasses.replace(new_run(values, "test"), evaluation=Evaluation(episodes))


def train_small(folder: Path, arm: Any = "coordconv", episodes: int = 0, **changes: Any) -> Path:
    train_agent(small_config(arm, episodes, **changes), folder)
    return folder
