"""`inspection.json`: an agent's scores with its coordinates as trained, zeroed and permuted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coordconv_rl.runs.evaluation import check_scores
from coordconv_rl.runs.layout import INSPECTION_FILE, TREATMENTS
from coordconv_rl.runs.reading import check_integer, check_real, damaged, read_json, write_sealed


def write_inspection(folder: Path, result: Mapping[str, Any]) -> None:
    """Write an agent's inspection into its run's folder.

    Raises:
        OSError: It cannot be written.
    """
    write_sealed(folder / INSPECTION_FILE, result)


def read_inspection(folder: Path) -> dict[str, Any] | None:
    """Read an inspection, with every number in it looked at; None where there is none.

    Raises:
        InputError: It is damaged, or was changed.
    """
    path = folder / INSPECTION_FILE
    found = read_json(path, ("run", "episodes", "share", "scores"))
    if found is None:
        return None
    check_integer(path, "its episodes", found["episodes"], 1)
    if found.get("frame_cap") is not None:
        check_integer(path, "its frame_cap", found["frame_cap"], 1)
    if found["share"] is not None and check_real(path, "its share", found["share"], 0.0) > 1.0:
        raise damaged(path, f"its share is {found['share']!r}")
    scores = found["scores"]
    if not isinstance(scores, dict) or not set(TREATMENTS) <= set(scores):
        raise damaged(path, f"its scores are not those of {', '.join(TREATMENTS)}")
    for name in TREATMENTS:
        check_scores(path, name, scores[name])
    return found


def is_inspected_at(found: Mapping[str, Any] | None, step: int) -> bool:
    """Return whether an inspection is that of the agent as it was at a step of its training.

    One by an earlier version may not say at which step; it is believed.
    """
    return found is not None and found.get("step", step) == step
