"""Arrays over one block of memory: apart from each other, aligned, and shared between processes."""

from __future__ import annotations

import mmap
import os

import numpy as np
import pytest

from coordconv_rl.envs.workers.shared_arrays import SharedArrays, shared_file, size_in_bytes

NAMES = ("actions", "rewards", "dones", "counters", "stacks")


@pytest.mark.parametrize(("n", "size"), [(1, 84), (3, 84), (8, 84), (3, 33)])
def test_each_array_has_its_own_aligned_memory(n, size):
    memory = bytearray(size_in_bytes(n, size))
    arrays = SharedArrays.over(memory, n, size)
    start = np.frombuffer(memory, np.uint8).ctypes.data
    ends = 0
    for name in NAMES:
        array = getattr(arrays, name)
        assert len(array) == n
        offset = array.ctypes.data - start
        assert offset % 64 == 0
        assert offset >= ends
        ends = offset + array.nbytes
    assert ends <= len(memory)
    assert arrays.stacks.shape == (n, 4, size, size)


def test_a_part_is_a_view():
    arrays = SharedArrays.over(bytearray(size_in_bytes(4, 84)), 4, 84)
    part = arrays.part(1, 3)
    for name in NAMES:
        getattr(part, name)[:] = 1
        np.testing.assert_array_equal(getattr(arrays, name).reshape(4, -1)[:, 0], [0, 1, 1, 0])


@pytest.mark.parametrize("named", [True, False])
def test_memory_without_a_name_is_seen_by_a_child(monkeypatch, named):
    if not named:  # macOS has none
        monkeypatch.delattr(os, "memfd_create")
    descriptor = shared_file(2, 84)
    ours = SharedArrays.over(mmap.mmap(descriptor, size_in_bytes(2, 84)), 2, 84)
    assert not ours.stacks.any()
    child = os.fork()
    if child == 0:
        SharedArrays.over(mmap.mmap(descriptor, 0), 2, 84).rewards[1] = 7
        os._exit(0)
    os.waitpid(child, 0)
    os.close(descriptor)
    assert ours.rewards.tolist() == [0, 7]
