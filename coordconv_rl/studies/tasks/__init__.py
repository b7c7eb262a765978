"""..."""

from coordconv_rl.studies.tasks.data import CANVAS, split_positions
from coordconv_rl.studies.tasks.networks import initialise
from coordconv_rl.studies.tasks.study import MODELS, Measure, Model, Setting, Study

__all__ = [
    "CANVAS",
    "MODELS",
    "Measure",
    "Model",
    "Setting",
    "Study",
    "initialise",
    "split_positions",
]
