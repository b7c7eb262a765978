"""..."""

from coordconv_rl.comparison.tensorboard.writer import Aggregates, serve

__all__ = [
    "Aggregates",
    "serve",
]
