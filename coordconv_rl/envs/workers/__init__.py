"""..."""

from coordconv_rl.envs.workers.group import Group
from coordconv_rl.envs.workers.pool import Pool
from coordconv_rl.envs.workers.shared_arrays import STACK_SHAPE, Buffers, size_in_bytes

__all__ = [
    "STACK_SHAPE",
    "Buffers",
    "Group",
    "Pool",
    "size_in_bytes",
]
