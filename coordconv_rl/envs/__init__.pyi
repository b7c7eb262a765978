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
from .image_game import ImageGame
from .images import make_image_env
from .minatar import MinAtarVecEnv

__all__ = [
    "GAMES",
    "SUITES",
    "TINY_RANGE_GAMES",
    "AtariVecEnv",
    "ImageGame",
    "MinAtarVecEnv",
    "check_game",
    "human_normalised",
    "make_image_env",
    "reference_scores",
    "resolve_games",
]
