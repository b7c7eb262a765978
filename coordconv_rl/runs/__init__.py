"""..."""

from coordconv_rl.runs.episodes import EpisodeLog
from coordconv_rl.runs.prepare import (
    DISK_FULL,
    MACHINE_LOST,
    describe_exit,
    finished,
    prepare_run,
    read_record,
)
from coordconv_rl.runs.reading import damaged, read_episodes, read_json
from coordconv_rl.runs.record import REFRESH_SECONDS, RunRecord, now

__all__ = [
    "DISK_FULL",
    "MACHINE_LOST",
    "REFRESH_SECONDS",
    "EpisodeLog",
    "RunRecord",
    "damaged",
    "describe_exit",
    "finished",
    "now",
    "prepare_run",
    "read_episodes",
    "read_json",
    "read_record",
]
