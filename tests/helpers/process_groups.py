"""Process groups of torch.distributed, and their end."""

from __future__ import annotations

import time

import torch

PAUSE = 0.2  # seconds; a thread takes Python's lock within thousandths of one


def end_process_group() -> None:
    """Destroy the group a moment later, when its threads have let go of their work.

    For that they take Python's lock, which the group's destructor holds while it waits for them:
    without a moment between, gloo's of torch 2.13 sometimes hang there for ever.
    """
    time.sleep(PAUSE)
    torch.distributed.destroy_process_group()
