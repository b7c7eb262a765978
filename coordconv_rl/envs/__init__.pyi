from .atari import AtariVecEnv
from .families import (
    EnvSettings,
    Family,
    SavesState,
    family_of,
    own_code,
    resolve_games,
)
from .games import (
    GAMES,
    MINATAR_GAMES,
    SCREEN_SIZE,
    SUITES,
    TINY_RANGE_GAMES,
    check_game,
    human_normalised,
    reference_scores,
)
from .image_game import ImageGame
from .images import make_image_env
from .minatar import MinAtarVecEnv

__all__ = [
    "GAMES",
    "MINATAR_GAMES",
    "SCREEN_SIZE",
    "SUITES",
    "TINY_RANGE_GAMES",
    "AtariVecEnv",
    "EnvSettings",
    "Family",
    "ImageGame",
    "MinAtarVecEnv",
    "SavesState",
    "check_game",
    "family_of",
    "human_normalised",
    "make_image_env",
    "own_code",
    "reference_scores",
    "resolve_games",
]
