"""A run's folder: its names, and the writer and reader of each file, without torch.

- `layout`: what stands where; ids, file names, treatments, the launcher's variable.
- `clock`: times and durations as text.
- `reading`: files read with suspicion; the error for a damaged one.
- `record`: `run.json`, what a run is doing or did, where, and with what.
- `episodes`: `episodes.csv`, one row for each full game of the training.
- `prepare`: a folder before its process starts, and what that process's end means.
"""

from coordconv_rl.runs.clock import duration, now
from coordconv_rl.runs.episodes import EpisodeLog, read_episodes
from coordconv_rl.runs.layout import (
    BEST_FILE,
    CHECKPOINTS_FOLDER,
    CONFIG_FILE,
    EPISODE_COLUMNS,
    EPISODES_FILE,
    EVALUATION_FILE,
    EXPERIMENT_FILE,
    INSPECTION_FIGURE,
    INSPECTION_FILE,
    LEDGER_FILE,
    LEDGER_LOCK,
    LOG_FILE,
    PARENT_VARIABLE,
    RECORD_FILE,
    RUN_LOCK,
    TREATMENTS,
    Treatment,
    arm_of,
    find_experiment,
    find_runs,
    is_launched,
)
from coordconv_rl.runs.prepare import (
    describe_exit,
    is_finished,
    lengthen_run,
    longer_run,
    prepare_run,
)
from coordconv_rl.runs.reading import damaged, read_json
from coordconv_rl.runs.record import REFRESH_SECONDS, RunRecord, read_record

__all__ = [
    "BEST_FILE",
    "CHECKPOINTS_FOLDER",
    "CONFIG_FILE",
    "EPISODES_FILE",
    "EPISODE_COLUMNS",
    "EVALUATION_FILE",
    "EXPERIMENT_FILE",
    "INSPECTION_FIGURE",
    "INSPECTION_FILE",
    "LEDGER_FILE",
    "LEDGER_LOCK",
    "LOG_FILE",
    "PARENT_VARIABLE",
    "RECORD_FILE",
    "REFRESH_SECONDS",
    "RUN_LOCK",
    "TREATMENTS",
    "EpisodeLog",
    "RunRecord",
    "Treatment",
    "arm_of",
    "damaged",
    "describe_exit",
    "duration",
    "find_experiment",
    "find_runs",
    "is_finished",
    "is_launched",
    "lengthen_run",
    "longer_run",
    "now",
    "prepare_run",
    "read_episodes",
    "read_json",
    "read_record",
]
