"""Learning curves from the training's games: mean raw scores on a grid of environment steps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from coordconv_rl.comparison.results import Results, RunResult
from coordconv_rl.configs import ExperimentConfig


def step_grid(experiment: ExperimentConfig, points: int = 50) -> NDArray[np.int64]:
    """Evenly spaced environment steps up to the experiment's length, the last one included."""
    return np.linspace(0, experiment.steps, points + 1).round().astype(np.int64)[1:]


def curve(
    run: RunResult, grid: NDArray[np.int64], *, window: int | None = None
) -> NDArray[np.float64]:
    """A run's learning curve on a grid of environment steps, shape (len(grid),).

    Args:
        run: The run.
        grid: Environment steps in rising order.
        window: How many environment steps before a grid step count; a tenth of the grid's last
            step if None.

    Returns:
        The mean raw score of the full games that ended in the window up to each grid step; NaN
        where none did and beyond what the run has trained.
    """
    trained = max(run.step, int(grid[-1])) if run.status == "done" else run.step
    return smooth(run.episodes, grid, trained=trained, window=window)


def smooth(
    episodes: NDArray[np.void],
    grid: NDArray[np.int64],
    *,
    trained: int,
    window: int | None = None,
) -> NDArray[np.float64]:
    """Return the `curve` of full games, as `read_episodes` gives them, up to the step `trained`."""
    window = max(1, int(grid[-1]) // 10) if window is None else window
    steps = episodes["step"]
    sums = np.concatenate([[0.0], np.cumsum(episodes["score"])])
    first = np.searchsorted(steps, grid - window, side="right")
    last = np.searchsorted(steps, grid, side="right")
    counts = last - first
    means = (sums[last] - sums[first]) / np.maximum(counts, 1)
    return np.where((counts > 0) & (grid <= trained), means, np.nan)


def curves(
    results: Results, algo: str, game: str, arm: str, grid: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Learning curves of one cell's seeds, shape (runs with a first game, len(grid))."""
    rows = [
        curve(run, grid)
        for run in results.runs
        if (run.algo, run.game, run.arm) == (algo, game, arm) and len(run.episodes)
    ]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(grid))
