"""What a checkpoint costs a real run, and how large it is."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from typing import Any

from rich.table import Table

from coordconv_rl.agents import train as training
from coordconv_rl.agents.training.callbacks import RunCallback
from coordconv_rl.agents.training.checkpoint import list_checkpoints
from coordconv_rl.configs.load import preset
from coordconv_rl.configs.schema import Evaluation, RunConfig, SharedSettings

ASKED = 0.02  # of a run's time, at most


class Timed(RunCallback):
    """Times every checkpoint of a run.

    Attributes:
        seconds: What each took.
    """

    seconds_of_saves: list[float]

    def save(self) -> None:
        """Save as always, with a clock beside it."""
        began = time.perf_counter()
        super().save()
        self.seconds_of_saves.append(time.perf_counter() - began)


def checkpoint_costs(count: int, folder: Path) -> list[dict[str, Any]]:
    """Train with the presets, save after each rollout, and time the saves.

    Args:
        count: How many saves.
        folder: Where to.

    Returns:
        For each algorithm: seconds (median, min, max), bytes, and the share of a run's time at
        the default interval.
    """
    return [_cost("ppo", count, folder), _cost("a2c", count, folder)]


def _cost(algo: str, count: int, folder: Path) -> dict[str, Any]:
    settings = preset(algo)
    config = RunConfig(
        algo="a2c" if algo == "a2c" else "ppo",
        game="Breakout",
        arm="coordconv",
        seed=1,
        steps=count * settings.n_envs * settings.n_steps,
        hyperparameters=settings,
        checkpoint_minutes=0.0,
        evaluation=Evaluation(episodes=0),
    )
    Timed.seconds_of_saves = []
    where = folder / f"cost-{algo}"
    before, training.RunCallback = training.RunCallback, Timed  # type: ignore[misc]
    try:
        training.train_agent(config, where)
    finally:
        training.RunCallback = before  # type: ignore[misc]
    seconds = sorted(Timed.seconds_of_saves)
    interval = 60 * SharedSettings().checkpoint_minutes
    return {
        "algo": algo,
        "saves": len(seconds),
        "median": median(seconds),
        "min": seconds[0],
        "max": seconds[-1],
        "bytes": list_checkpoints(where)[0].stat().st_size,
        "interval_seconds": interval,
        "share": median(seconds) / interval,
        "worst_share": seconds[-1] / interval,
    }


def cost_table(costs: list[dict[str, Any]]) -> Table:
    """Return the costs as a table."""
    shown = Table("preset", title="What a checkpoint costs", title_justify="left")
    for heading in ("saves", "seconds", "min", "max", "MB", "of a run", "2% from"):
        shown.add_column(heading, justify="right")
    for row in costs:
        times = [f"{row[key]:.3f}" for key in ("median", "min", "max")]
        share = f"{row['share']:.3%} (one in {row['interval_seconds']:.0f} s)"
        least = f"one in {row['median'] / ASKED:.0f} s"
        shown.add_row(
            row["algo"], str(row["saves"]), *times, f"{row['bytes'] / 1e6:.1f}", share, least
        )
    return shown
