"""The comparison in TensorBoard while it runs: one chart a game, one line an arm.

Each arm is a TensorBoard run below `by-arm/`, with the mean over the seeds so far, the lowest and
the highest seed, by environment step. Beside it: a Custom Scalars layout with one margin chart a
game, and the HParams tab with one row an arm.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from coordconv_rl.arms import Arm
from coordconv_rl.comparison import plan
from coordconv_rl.comparison.learning_curves import smooth, step_grid
from coordconv_rl.comparison.tensorboard.events import (
    EventFile,
    hyperparameter_columns,
    hyperparameter_row,
    margin_layout,
)
from coordconv_rl.configs import ExperimentConfig, make_run_id
from coordconv_rl.errors import InputError
from coordconv_rl.runs import CONFIG_FILE, EPISODES_FILE, read_episodes, read_record

FOLDER = "by-arm"
UPDATE_SECONDS = 10.0
_Cell = tuple[str, str, str]  # algorithm, game, arm
Lines = NDArray[np.float64]  # shape (3, grid steps): mean, low, high


class Aggregates:
    """Writes the lines of all arms; a context manager.

    Args:
        folder: The experiment's folder, with its experiment.yaml.
        into: Where `by-arm/` is written; None for the same folder.

    Raises:
        OSError: The lines cannot be written.
    """

    def __init__(self, folder: Path, into: Path | None = None) -> None:
        """Begin the arms' files, in the place of those of before: all lines are drawn anew."""
        self._folder = folder
        experiment = plan.read_experiment(folder)
        self._grid = step_grid(experiment)
        self._keys = {make_run_id(*key): key for key in plan.run_keys(experiment)}
        self._configs = {config.run_id: config for config in plan.expand(experiment)}
        self._rows: dict[_Cell, dict[str, NDArray[np.float64]]] = {}
        self._written: dict[_Cell, Lines] = {}
        self._last: float | None = None
        self._before: set[str] = set(self._keys)
        lines = (folder if into is None else into) / FOLDER
        old = list(lines.glob("*/events.out.tfevents.*"))
        self._files = {arm: EventFile(lines / arm) for arm in experiment.arm_labels}
        for path in old:  # of arms that are gone, or before the clock was turned back
            path.unlink(missing_ok=True)
        self._describe(experiment)

    def __enter__(self) -> Aggregates:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in self._files.values():
            file.close()

    def update(self, active: Collection[str], *, now: bool = False) -> None:
        """Read the runs that go on, or did at the last update, and write what has changed.

        Args:
            active: Ids of the runs that go on.
            now: Whether to do it even if the last update was only just.

        Raises:
            InputError: A file of a run is damaged; the lines of the others are written.
        """
        moment = time.monotonic()
        if self._last is not None and not now and moment - self._last < UPDATE_SECONDS:
            return
        self._last = moment
        damage: InputError | None = None
        for run in self._before | set(active):
            try:
                self._read(run)
            except InputError as error:
                damage = error
        self._before = set(active)
        for cell in self._rows:
            self._write(cell)
        for file in self._files.values():
            file.flush()
        if damage is not None:
            raise damage

    def _read(self, run: str) -> None:
        """Read a run's games into the row of its seed, as far as the run has trained."""
        algo, game, arm, _ = self._keys[run]
        folder = self._folder / run
        if plan.made_with(folder / CONFIG_FILE, self._configs[run]) is not None:
            return  # of other settings: it is in no report either
        episodes = read_episodes(folder / EPISODES_FILE)
        if not len(episodes):
            return
        record = read_record(folder) or {"step": 0, "status": ""}
        trained = self._grid[-1] if record["status"] == "done" else record["step"]
        rows = self._rows.setdefault((algo, game, arm), {})
        rows[run] = smooth(episodes, self._grid, trained=int(trained))

    def _write(self, cell: _Cell) -> None:
        """Write an arm's three lines from the first grid step on that has changed.

        A point that was written is corrected by writing all from there on once more: TensorBoard
        drops what a tag had at and after a step that comes again.
        """
        algo, game, arm = cell
        lines = seed_lines(np.array(list(self._rows[cell].values())))
        before = self._written.get(cell, np.full_like(lines, np.nan))
        differs = ~((lines == before) | (np.isnan(lines) & np.isnan(before))).all(axis=0)
        if not differs.any():
            return
        first = int(differs.argmax())
        known = [i for i in range(first, len(self._grid)) if not np.isnan(lines[0, i])]
        for tag, line in zip(tags(algo, game), lines, strict=True):
            points = [(int(self._grid[i]), float(line[i])) for i in known]
            self._files[arm].add_scalars(tag, points)
        self._written[cell] = lines

    def _describe(self, experiment: ExperimentConfig) -> None:
        """Write the layout of margin charts, and the HParams tab's columns and rows."""
        games = plan.planned_games(experiment)
        charts = {
            f"{algo}: mean, lowest and highest seed": {game: tags(algo, game) for game in games}
            for algo in experiment.algos
        }
        metrics = {
            tags(algo, game)[0]: f"{game} ({algo})" for algo in experiment.algos for game in games
        }
        rows = arm_settings(experiment.arms_by_label)
        columns = {name: [row[name] for row in rows.values()] for name in next(iter(rows.values()))}
        common = next(iter(self._files.values()))  # one of its own would be one more line's name
        common.add(margin_layout(charts))
        common.add(hyperparameter_columns(columns, metrics))
        for arm, row in rows.items():
            self._files[arm].add(hyperparameter_row(row, arm))


def arm_settings(arms: Mapping[str, Arm]) -> dict[str, dict[str, str | bool | float]]:
    """Return what tells arms from each other, as hyperparameters by arm; "arm" is the first."""
    rows: dict[str, dict[str, str | bool | float]] = {}
    for arm, found in arms.items():
        coords = found.coords
        rows[arm] = {
            "arm": arm,
            "coordinates": coords if isinstance(coords, str) else ", ".join(map(str, coords)),
            "radius": found.radius,
            "shuffled": found.shuffled,
            "actor only": found.actor_only,
            "backbone": found.backbone or "the experiment's",
            "head": found.head or "the experiment's",
            "extractor": found.extractor or "built in",
            "arguments": json.dumps(found.kwargs),
        }
    names = next(iter(rows.values()))
    alike = {name for name in names if len({row[name] for row in rows.values()}) == 1} - {"arm"}
    return {arm: {k: v for k, v in row.items() if k not in alike} for arm, row in rows.items()}


def tags(algo: str, game: str) -> tuple[str, str, str]:
    """Return the tags of a game's mean, low and high lines."""
    spread_group = f"seeds_{algo}/{game}"
    return f"comparison_{algo}/{game}", f"{spread_group} low", f"{spread_group} high"


def seed_lines(rows: NDArray[np.float64]) -> Lines:
    """Return mean, low and high over the seeds that have reached each step.

    Args:
        rows: Shape (seeds, grid steps), NaN where a seed has no score.
    """
    known = ~np.isnan(rows)
    counts = known.sum(axis=0)
    means = np.where(known, rows, 0.0).sum(axis=0) / np.maximum(counts, 1)
    low = np.where(known, rows, np.inf).min(axis=0)
    high = np.where(known, rows, -np.inf).max(axis=0)
    return np.where(counts > 0, np.stack([means, low, high]), np.nan)
