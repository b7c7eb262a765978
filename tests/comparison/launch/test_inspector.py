"""A process that takes one folder after another."""

from __future__ import annotations

import os
import sys

import pytest
from waiting import wait_for

from coordconv_rl import locks
from coordconv_rl.comparison.launch.inspector import Inspector
from coordconv_rl.runs import RUN_LOCK

PROGRAM = """
import json, os, sys
for line in sys.stdin:
    name = os.path.basename(json.loads(line))
    if name == "deadly":
        os.kill(os.getpid(), 9)
    print(len(name), flush=True)
"""


@pytest.fixture
def inspector():
    made = Inspector((sys.executable, "-S", "-c", PROGRAM), 1)
    yield made
    made.close()


def ended(inspector: Inspector) -> int:
    codes = []
    wait_for(lambda: codes.append(inspector.poll()) or codes[-1] is not None)
    return codes[-1]


def test_one_process_takes_many_folders_and_another_follows_one_that_died(tmp_path, inspector):
    for name, code in (("a", 1), ("four", 4), ("deadly", -9), ("six-66", 6)):
        folder = tmp_path / name
        folder.mkdir()
        before = inspector._process
        inspector.begin(folder)
        with pytest.raises(locks.LockedError, match="an inspection by process"):
            locks.acquire(folder / RUN_LOCK, "somebody")
        assert ended(inspector) == code
        os.close(locks.acquire(folder / RUN_LOCK, "somebody"))
        assert (inspector._process is before) == (name in ("four", "deadly"))


def test_a_folder_that_somebody_works_on_is_not_begun(tmp_path, inspector):
    held = locks.acquire(tmp_path / RUN_LOCK, "another")
    with pytest.raises(locks.LockedError, match="another"):
        inspector.begin(tmp_path)
    assert inspector._process is None
    os.close(held)
