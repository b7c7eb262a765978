"""..."""

from coordconv_rl.fast.acting_cache import Kept, KnownPass
from coordconv_rl.fast.network import is_fast
from coordconv_rl.fast.patch_index import BACKWARD, EAGER, WARY, Limits, Minibatch, Repeats
from coordconv_rl.fast.precision import Resolved, check_precision, detect_precision, has_matrix_unit

__all__ = [
    "BACKWARD",
    "EAGER",
    "WARY",
    "Kept",
    "KnownPass",
    "Limits",
    "Minibatch",
    "Repeats",
    "Resolved",
    "check_precision",
    "detect_precision",
    "has_matrix_unit",
    "is_fast",
]
