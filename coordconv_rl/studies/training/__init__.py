"""All trainings of a study, some at a time, each in a folder of its own that it goes on from.

- `plan`: which trainings a study needs.
- `pool`: trains them, in processes that stay, one thread each.
- `train`: one training, from data to a result.
- `supervised`: its steps and evaluations.
- `adversarial`: the same for a generator with its discriminator.
- `records`: what it leaves in its folder.
- `tensorboard`: its curves, and the pictures of the whole study.
"""

from coordconv_rl.studies.training.adversarial import LAST_EVALUATIONS
from coordconv_rl.studies.training.plan import (
    FINALISTS,
    Tried,
    Unit,
    best_setting,
    find_result,
    first_units,
    last_units,
    second_units,
    seeds_of,
    tried_settings,
)
from coordconv_rl.studies.training.pool import Trainers
from coordconv_rl.studies.training.records import Result, load_drawn
from coordconv_rl.studies.training.tensorboard import Board

__all__ = [
    "FINALISTS",
    "LAST_EVALUATIONS",
    "Board",
    "Result",
    "Trainers",
    "Tried",
    "Unit",
    "best_setting",
    "find_result",
    "first_units",
    "last_units",
    "load_drawn",
    "second_units",
    "seeds_of",
    "tried_settings",
]
