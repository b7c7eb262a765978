"""A run's folder: its names, and the writer and reader of each file, without torch.

- `layout`: what stands where; file names, treatments, the launcher's variable.
- `clock`: times and durations as text.
- `reading`: files read with suspicion; numbers looked at once; the errors for what is damaged.
- `sums`: by what a run's files are seen to be whole.
- `record`: `run.json`, what a run is doing or did, where, and with what.
- `episodes`: `episodes.csv`, one row for each full game of the training.
- `packing`: `episodes.csv` packed by bzip2, as exports hold it.
- `evaluation`: scores of fresh games: the run's own, those by hand, games so far.
- `inspection`: `inspection.json`, scores with coordinates as trained, zeroed and permuted.
- `files`: all that a run has left in its folder, read once.
- `prepare`: a folder before its process starts: made or recognised, looked at, held.
- `ends`: what the end of a run's process means.
"""

from coordconv_rl.runs.clock import duration, now
from coordconv_rl.runs.ends import describe_exit, last_error
from coordconv_rl.runs.episodes import EPISODE_DTYPE, EpisodeLog, read_episodes, read_kept
from coordconv_rl.runs.evaluation import (
    GameEnd,
    GameLog,
    by_hand_path,
    read_evaluation,
    summarise,
    write_evaluation,
)
from coordconv_rl.runs.files import RunFiles, read_run
from coordconv_rl.runs.inspection import is_inspected_at, read_inspection, write_inspection
from coordconv_rl.runs.layout import (
    BEST_FILE,
    CHECKPOINTS_FOLDER,
    CONFIG_FILE,
    EPISODE_COLUMNS,
    EPISODES_FILE,
    EVALUATION_FILE,
    EVALUATION_PROGRESS,
    EVALUATIONS_FOLDER,
    EXPERIMENT_FILE,
    HEADER,
    INSPECTION_FIGURE,
    INSPECTION_FILE,
    LEDGER_FILE,
    LEDGER_LOCK,
    LOG_FILE,
    PACKED,
    PARENT_VARIABLE,
    RECORD_FILE,
    RUN_LOCK,
    TREATMENTS,
    WANDB_VARIABLE,
    Treatment,
    find_experiment,
    find_runs,
    is_launched,
)
from coordconv_rl.runs.packing import pack_episodes
from coordconv_rl.runs.prepare import (
    check_folder,
    check_same,
    has_begun,
    hold_run,
    is_finished,
    is_over,
    lengthen_run,
    longer_run,
    look_at_run,
    prepare_run,
)
from coordconv_rl.runs.reading import (
    NotWhole,
    check_integer,
    check_real,
    damaged,
    read_json,
    write_sealed,
)
from coordconv_rl.runs.record import (
    REFRESH_SECONDS,
    RunRecord,
    peek_record,
    read_record,
    weighs_coordinates,
)
from coordconv_rl.runs.sums import check_whole, is_checked, read_sums, sum_of

__all__ = [
    "BEST_FILE",
    "CHECKPOINTS_FOLDER",
    "CONFIG_FILE",
    "EPISODES_FILE",
    "EPISODE_COLUMNS",
    "EPISODE_DTYPE",
    "EVALUATIONS_FOLDER",
    "EVALUATION_FILE",
    "EVALUATION_PROGRESS",
    "EXPERIMENT_FILE",
    "HEADER",
    "INSPECTION_FIGURE",
    "INSPECTION_FILE",
    "LEDGER_FILE",
    "LEDGER_LOCK",
    "LOG_FILE",
    "PACKED",
    "PARENT_VARIABLE",
    "RECORD_FILE",
    "REFRESH_SECONDS",
    "RUN_LOCK",
    "TREATMENTS",
    "WANDB_VARIABLE",
    "EpisodeLog",
    "GameEnd",
    "GameLog",
    "NotWhole",
    "RunFiles",
    "RunRecord",
    "Treatment",
    "by_hand_path",
    "check_folder",
    "check_integer",
    "check_real",
    "check_same",
    "check_whole",
    "damaged",
    "describe_exit",
    "duration",
    "find_experiment",
    "find_runs",
    "has_begun",
    "hold_run",
    "is_checked",
    "is_finished",
    "is_inspected_at",
    "is_launched",
    "is_over",
    "last_error",
    "lengthen_run",
    "longer_run",
    "look_at_run",
    "now",
    "pack_episodes",
    "peek_record",
    "prepare_run",
    "read_episodes",
    "read_evaluation",
    "read_inspection",
    "read_json",
    "read_kept",
    "read_record",
    "read_run",
    "read_sums",
    "sum_of",
    "summarise",
    "weighs_coordinates",
    "write_evaluation",
    "write_inspection",
    "write_sealed",
]
