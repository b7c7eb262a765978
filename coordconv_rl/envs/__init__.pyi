from .atari import AtariVecEnv
from .games import (
    GAMES,
    SUITES,
    TINY_RANGE_GAMES,
    check_game,
    human_normalised,
    reference_scores,
    resolve_games,
)
from .minatar import MinAtarVecEnv

__all__ = [
    "GAMES",
    "SUITES",
    "TINY_RANGE_GAMES",
    "AtariVecEnv",
    "MinAtarVecEnv",
    "check_game",
    "human_normalised",
    "reference_scores",
    "resolve_games",
]
