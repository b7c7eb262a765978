"""Inspections read from their folders."""

from __future__ import annotations

import pytest
from synthetic import make_experiment, write_inspection

from coordconv_rl.comparison.report.write import write_report
from coordconv_rl.errors import InputError


def test_inspection_that_is_damaged_is_named(tmp_path):
    key = ("ppo", "Pong", "coordconv", 1)
    make_experiment(tmp_path, games=("Pong",))
    for changes, why in (
        ({"run": "ppo/Pong/cnn/seed-9"}, "about the run ppo/Pong/cnn/seed-9"),
        ({"scores": {"trained": {}}}, "its scores are not those of"),
        ({"share": "much"}, "much"),
        ({"format": 2}, "newer"),
    ):
        write_inspection(tmp_path, key, **changes)
        with pytest.raises(InputError, match=why) as caught:
            write_report(tmp_path)
        assert "inspection.json" in str(caught.value)
