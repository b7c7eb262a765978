"""..."""

from coordconv_rl.runs.episodes import EpisodeLog
from coordconv_rl.runs.prepare import (
    MACHINE_LOST,
    NO_ROOM,
    describe_exit,
    finished,
    prepare_run,
    read_record,
)
from coordconv_rl.runs.reading import damaged, read_episodes, read_json
from coordconv_rl.runs.record import REFRESH_SECONDS, RunRecord

__all__ = [
    "MACHINE_LOST",
    "NO_ROOM",
    "REFRESH_SECONDS",
    "EpisodeLog",
    "RunRecord",
    "damaged",
    "describe_exit",
    "finished",
    "prepare_run",
    "read_episodes",
    "read_json",
    "read_record",
]
