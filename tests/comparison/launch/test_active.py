"""What counts as a run's progress."""

from __future__ import annotations

import time
from types import SimpleNamespace

from light_worker import experiment

from coordconv_rl.comparison import plan
from coordconv_rl.comparison.launch.active import Active


def test_any_change_is_progress_and_silence_is_not():
    active = Active(plan.expand(experiment())[0], SimpleNamespace(pid=1))
    active.note({"step": 1, "status": "running", "updated": "a"})
    for record in ({"step": 1, "status": "running", "updated": "a"}, None):
        time.sleep(0.02)
        active.note(record)
    assert active.silence >= 0.04
    assert active.record["step"] == 1
    active.note({"step": 1, "status": "running", "updated": "b"})
    assert active.silence < 0.02


def test_a_worker_that_waits_for_room_does_not_hang():
    active = Active(plan.expand(experiment())[0], SimpleNamespace(pid=None))
    active.note(None)
    time.sleep(0.02)
    active.note(None)
    assert active.silence < 0.02
