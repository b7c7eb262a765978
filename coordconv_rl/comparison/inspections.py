"""What `coordconv-rl inspect` found about trained agents: read from their folders and tabled."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coordconv_rl.comparison.readers import damaged, read_json
from coordconv_rl.comparison.results import Results
from coordconv_rl.comparison.tables import Cell, Table, number

INSPECTION_FILE = "inspection.json"
TREATMENTS = ("trained", "zeroed", "permuted")


@dataclass(frozen=True)
class Inspection:
    """One agent's scores with its coordinate channels as trained, zeroed and permuted.

    Attributes:
        algo: The algorithm.
        game: The game.
        arm: The arm.
        seed: The seed of the training.
        episodes: Games for each treatment.
        share: Share of the first layer's output variance that comes from the coordinates, 0 to 1;
            None where that layer has none.
        means: Mean raw score by treatment.
    """

    algo: str
    game: str
    arm: str
    seed: int
    episodes: int
    share: float | None
    means: dict[str, float]


def read_inspections(found: Results) -> list[Inspection]:
    """Read the inspections of an experiment's runs, in the runs' order.

    Raises:
        InputError: One of the files is damaged.
    """
    inspections = []
    for run in found.runs:
        path = run.folder / INSPECTION_FILE
        content = read_json(path, ("run", "episodes", "share", "scores"))
        if content is not None:
            key = (run.algo, run.game, run.arm, run.seed)
            inspections.append(Inspection(*key, *_values(path, run.run_id, content)))
    return inspections


def _values(
    path: Path, run: str, content: dict[str, Any]
) -> tuple[int, float | None, dict[str, float]]:
    if content["run"] != run:
        raise damaged(path, f"it is about the run {content['run']}")
    try:
        share = None if content["share"] is None else float(content["share"])
        means = {name: float(content["scores"][name]["mean"]) for name in TREATMENTS}
        episodes = int(content["episodes"])
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(path, f"{type(error).__name__} {error}") from error
    if not all(math.isfinite(value) for value in (*means.values(), share or 0.0)):
        raise damaged(path, "a value that is no number")
    return episodes, share, means


def inspection_table(inspections: list[Inspection]) -> Table:
    """Return one row for each inspected agent."""
    rows = [
        (
            Cell(found.algo.upper()),
            Cell(found.game),
            Cell(found.arm),
            Cell(str(found.seed), value=found.seed),
            *(number(found.means[name], 4) for name in TREATMENTS),
            Cell("\u2013")
            if found.share is None
            else Cell(f"{found.share:.1%}", value=found.share),
        )
        for found in inspections
    ]
    treatments = ("As trained", "Zeroed", "Permuted")
    columns = ("Algorithm", "Game", "Arm", "Seed", *treatments, "Share of the first layer")
    return Table("Mean raw score by what happens to the coordinate channels", columns, tuple(rows))
