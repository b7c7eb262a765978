from __future__ import annotations

import cv2
import pytest
import torch

from coordconv_rl.agents.training import thread_callbacks, use_threads


@pytest.mark.parametrize(
    ("threads", "workers", "count"), [(1, 0, 0), (2, 0, 0), (1, 2, 0), (2, 2, 1)]
)
def test_only_where_both_crowd_the_cores_acting_takes_one_thread(
    small_run, threads, workers, count
):
    assert len(thread_callbacks(small_run(threads=threads, workers=workers))) == count


def test_torch_gets_its_threads_and_opencv_one():
    before = torch.get_num_threads()
    try:
        use_threads(2)
        assert torch.get_num_threads() == 2
        assert cv2.getNumThreads() == 1
    finally:
        torch.set_num_threads(before)
