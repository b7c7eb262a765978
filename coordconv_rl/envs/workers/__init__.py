"""Several emulators side by side, in this process and in others.

- `shared_arrays`: what environments write, in one block of memory that processes share.
- `group`: emulators that step one after another, in one process.
- `worker`: a process that owns a group and obeys its parent.
- `members`: who plays in a pool: another process, or this one itself.
- `pool`: groups in several processes as one.
"""

from coordconv_rl.envs.workers.group import Group
from coordconv_rl.envs.workers.pool import Pool
from coordconv_rl.envs.workers.shared_arrays import STACK, SharedArrays, size_in_bytes

__all__ = [
    "STACK",
    "Group",
    "Pool",
    "SharedArrays",
    "size_in_bytes",
]
