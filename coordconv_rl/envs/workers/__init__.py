"""..."""

from coordconv_rl.envs.workers.group import Group
from coordconv_rl.envs.workers.pool import Pool
from coordconv_rl.envs.workers.shared_arrays import Buffers, STACK_SHAPE, size_in_bytes

__all__ = [
    "Buffers",
    "Group",
    "Pool",
    "STACK_SHAPE",
    "size_in_bytes",
]
