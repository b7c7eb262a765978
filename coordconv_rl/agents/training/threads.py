"""Who computes on how many threads."""

from __future__ import annotations

import cv2
import torch
from stable_baselines3.common.callbacks import BaseCallback

from coordconv_rl.configs import RunConfig


def use_threads(threads: int) -> None:
    """Give torch that many threads and OpenCV one: its images are too small to share."""
    torch.set_num_threads(threads)
    cv2.setNumThreads(1)


class ActOnOneThread(BaseCallback):
    """Lets a policy act on one thread and learn on all.

    OpenMP's threads spin for some milliseconds after each task, in case another one comes. While
    a rollout is collected, they so keep cores from the processes that play; see
    benchmarks/README.md.

    Args:
        threads: Threads to learn with.
    """

    def __init__(self, threads: int) -> None:
        super().__init__()
        self.threads = threads

    def _on_rollout_start(self) -> None:
        torch.set_num_threads(1)

    def _on_rollout_end(self) -> None:
        torch.set_num_threads(self.threads)

    def _on_training_end(self) -> None:
        torch.set_num_threads(self.threads)

    def _on_step(self) -> bool:
        return True


def thread_callbacks(config: RunConfig) -> list[BaseCallback]:
    """Return the callbacks that share the cores out between a run's threads and processes."""
    crowded = config.threads > 1 and config.workers > 1
    return [ActOnOneThread(config.threads)] if crowded else []
