"""..."""

from coordconv_rl.studies.training.plan import (
    best_setting,
    find_result,
    first_units,
    last_units,
    seeds_of,
)
from coordconv_rl.studies.training.pool import load_study, train_all
from coordconv_rl.studies.training.records import Result, load_canvases
from coordconv_rl.studies.training.tensorboard import Board
from coordconv_rl.studies.training.units import Unit

__all__ = [
    "Board",
    "Result",
    "Unit",
    "best_setting",
    "find_result",
    "first_units",
    "last_units",
    "load_canvases",
    "load_study",
    "seeds_of",
    "train_all",
]
