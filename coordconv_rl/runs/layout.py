"""What stands where in a run's folder and in an experiment's: each name once.

A run's folder is `<experiment>/<algo>/<game>/<arm>/seed-<n>/`; those last four parts are the run's
id, and what every table joins on.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, get_args

from coordconv_rl.processes import has_parent

# A run's folder.
CONFIG_FILE = "config.yaml"  # the resolved configuration, written before the first step
RECORD_FILE = "run.json"  # what the run is doing or did, where, and with what
EPISODES_FILE = "episodes.csv"  # one row for each full game of the training
EVALUATION_FILE = "evaluation.json"  # the run's own closing evaluation, which never changes
EVALUATION_PROGRESS = "evaluation.progress.jsonl"  # the games of that so far, one line each
EVALUATIONS_FOLDER = "evaluations"  # evaluations by hand, on which no report rests
INSPECTION_FILE = "inspection.json"  # scores with coordinates as trained, zeroed and permuted
INSPECTION_FIGURE = "inspection.png"  # the same scores, drawn
LOG_FILE = "log.txt"  # what a run's process said, where a launcher started it
RUN_LOCK = "run.lock"  # one process at a time trains or inspects there
PACKED = ".bz2"  # behind the name of an export's packed episodes
CHECKPOINTS_FOLDER = "checkpoints"  # the last two and the best: tensors and JSON, no pickle
BEST_FILE = "best.json"  # in the checkpoints' folder: which of them scored best

# An experiment's folder.
EXPERIMENT_FILE = "experiment.yaml"  # the experiment, with a digest of itself
LEDGER_FILE = "ledger.jsonl"  # what became of every run, one line a change
LEDGER_LOCK = "ledger.lock"  # one launcher at a time

EPISODE_COLUMNS = "step,score,frames,life_loss"  # the first line of `episodes.csv`
HEADER = (EPISODE_COLUMNS + "\n").encode()  # the same, as it stands there
WANDB_VARIABLE = "COORDCONV_WANDB"  # set by a launcher: the project of Weights & Biases
PARENT_VARIABLE = "COORDCONV_PARENT_PID"  # set by a launcher: stop when that process is gone

Treatment = Literal["trained", "zeroed", "permuted"]
TREATMENTS: tuple[Treatment, ...] = get_args(Treatment)  # of coordinates, in an inspection


RUN_FILES = (  # what a run writes by a temporary name and renames
    CONFIG_FILE, RECORD_FILE, EPISODES_FILE, EVALUATION_FILE, INSPECTION_FILE, INSPECTION_FIGURE,
    EVALUATION_PROGRESS,
)  # fmt: skip
RUN_FOLDERS = (CHECKPOINTS_FOLDER, EVALUATIONS_FOLDER)


def find_runs(folder: Path, file: str) -> list[Path]:
    """Return the run folders below an experiment's folder that hold a file of that name, sorted."""
    return sorted(path.parent for path in folder.glob(f"*/*/*/*/{file}"))


def find_experiment(folder: Path, run: str) -> str | None:
    """Return the name of the experiment whose folder holds a run's, or None if it stands alone."""
    whole = folder.resolve()
    if not whole.as_posix().endswith("/" + run):
        return None
    return whole.parents[run.count("/")].name


def is_launched() -> bool:
    """Return whether a launcher started this process and still lives."""
    parent = os.environ.get(PARENT_VARIABLE, "")
    return parent.isdecimal() and has_parent(int(parent))
