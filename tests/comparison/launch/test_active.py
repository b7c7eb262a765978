"""What counts as a run's progress."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from light_worker import experiment

from coordconv_rl.comparison import plan
from coordconv_rl.comparison.launch.active import Active


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until a test moves it."""
    made = SimpleNamespace(now=100.0)
    monkeypatch.setattr("time.monotonic", lambda: made.now)
    return made


def test_any_change_is_progress_and_silence_is_not(clock):
    active = Active(plan.expand(experiment())[0], SimpleNamespace(pid=1))
    active.note({"step": 1, "status": "running", "updated": "a"})
    for record in ({"step": 1, "status": "running", "updated": "a"}, None):
        clock.now += 20
        active.note(record)
    assert active.silence == 40
    assert active.record["step"] == 1
    active.note({"step": 1, "status": "running", "updated": "b"})
    assert active.silence == 0


def test_a_worker_that_waits_for_room_does_not_hang(clock):
    active = Active(plan.expand(experiment())[0], SimpleNamespace(pid=None))
    active.note(None)
    clock.now += 20
    active.note(None)
    assert active.silence == 0
