"""Emulators that step one after another: rewards, ends and states stand in their own places."""

from __future__ import annotations

import numpy as np

from coordconv_rl.envs.settings import GameSettings
from coordconv_rl.envs.workers import Group, SharedArrays, size_in_bytes


def test_ends_name_their_environment_and_the_next_episode_begins():
    group = Group(
        GameSettings("Breakout"), SharedArrays.over(bytearray(size_in_bytes(2, 84)), 2, 84)
    )
    group.reset([5, 6])
    group.start(np.array([3, 3]))
    assert group.arrays.actions.tolist() == [3, 3]
    ends = {}
    for _ in range(300):
        group.start(np.array([0, 0]))
        ends = group.finish()
        assert set(ends) == set(np.nonzero(group.arrays.dones)[0].tolist())
        if ends:
            break
    (index, end), *_ = ends.items()
    assert end["TimeLimit.truncated"] is False
    assert end["terminal_observation"].shape == (4, 84, 84)
    assert group.arrays.counters[index, 0] == 4  # the lives before the reset
    assert not group.arrays.stacks[index, :3].any()
    assert group.arrays.stacks[index, 3].any()


def test_states_come_back_to_their_own_environment():
    group = Group(GameSettings("Pong"), SharedArrays.over(bytearray(size_in_bytes(2, 84)), 2, 84))
    group.reset([1, 2])
    before = group.arrays.stacks.copy()
    states = group.save()
    group.reset([3, 4])
    group.load(states[::-1])
    np.testing.assert_array_equal(group.arrays.stacks, before[::-1])
