from __future__ import annotations

from datetime import datetime, timedelta, timezone

from coordconv_rl.runs import duration, now


def test_durations_are_readable():
    assert [duration(s) for s in (None, -3.0, 0.4, 59.6, 3599, 3600, 90061)] == [
        "?", "0:00", "0:00", "1:00", "59:59", "1:00:00", "25:01:01",
    ]  # fmt: skip


def test_now_is_in_utc_to_the_second():
    found = datetime.fromisoformat(now())
    assert found.utcoffset() == timedelta(0)
    assert found.microsecond == 0
    assert abs(datetime.now(timezone.utc) - found) < timedelta(seconds=5)
