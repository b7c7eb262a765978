"""What tensors take in this process: what stays of one that should be gone is seen."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def only_new_tensors() -> Iterator[None]:
    """Let `live_tensors` see what is made from here on: all else takes seconds to look through."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def live_tensors() -> tuple[int, int]:
    """Return how many tensors there are in the process, and their bytes, each memory once."""
    gc.collect()
    plain = (torch.Tensor, torch.nn.Parameter)  # not those that torch's compiler left behind
    found = [one for one in gc.get_objects() if type(one) in plain]
    dense = [one.untyped_storage() for one in found if one.layout == torch.strided]
    return len(found), sum({part.data_ptr(): part.nbytes() for part in dense}.values())
