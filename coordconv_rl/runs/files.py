"""All that a run has left in its folder, read once and looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coordconv_rl.errors import InputError
from coordconv_rl.runs.episodes import read_episodes
from coordconv_rl.runs.evaluation import read_evaluation
from coordconv_rl.runs.inspection import read_inspection
from coordconv_rl.runs.layout import EPISODES_FILE, EVALUATION_FILE, INSPECTION_FILE, RECORD_FILE
from coordconv_rl.runs.reading import NotWhole
from coordconv_rl.runs.record import read_record
from coordconv_rl.runs.sums import check_whole, read_sums


@dataclass(frozen=True)
class RunFiles:
    """What a run's files say.

    Attributes:
        record: `run.json`, or None before the run's first start.
        evaluation: `evaluation.json`, or None before it was written.
        episodes: `episodes.csv`, as `read_episodes` gives it.
        inspection: `inspection.json`, or None where nobody has inspected the agent.
    """

    record: dict[str, Any] | None
    evaluation: dict[str, Any] | None
    episodes: NDArray[np.void]
    inspection: dict[str, Any] | None


def read_run(folder: Path, run: str) -> RunFiles:
    """Read a run's files.

    Args:
        folder: The run's folder; it may be missing.
        run: The run's id.

    Raises:
        NotWhole: A file is not what it was when it was written.
        InputError: A file is damaged, or of another run.
    """
    record = read_record(folder)
    if record is not None:
        path = folder / RECORD_FILE
        if record["run"] != run:
            raise InputError(f"{path} belongs to the run {record['run']}, not to {run}")
        check_whole(folder, record, read_sums(path, record))
    evaluation = read_evaluation(folder / EVALUATION_FILE)
    inspection = read_inspection(folder)
    _check_run(folder / EVALUATION_FILE, evaluation, run)
    _check_run(folder / INSPECTION_FILE, inspection, run)
    return RunFiles(record, evaluation, read_episodes(folder / EPISODES_FILE), inspection)


def _check_run(path: Path, found: Mapping[str, Any] | None, run: str) -> None:
    """Raise `NotWhole` if a file says that it is another run's; not all say whose they are."""
    said = run if found is None else found.get("run", run)
    if said != run:
        raise NotWhole(f"{path} is that of the run {said!r:.80}: put the right one there")
