"""Inspections read from their folders."""

from __future__ import annotations

import pytest
from synthetic import make_experiment, report, write_inspection

from coordconv_rl.comparison.report.write import write_report
from coordconv_rl.errors import InputError


def test_inspection_that_is_damaged_is_named(tmp_path):
    key = ("ppo", "Pong", "coordconv", 1)
    make_experiment(tmp_path, games=("Pong",))
    for changes, why in (
        ({"scores": {"trained": {}}}, "its scores are not those of"),
        ({"share": "much"}, "much"),
        ({"format": 2}, "newer"),
    ):
        write_inspection(tmp_path, key, **changes)
        with pytest.raises(InputError, match=why) as caught:
            write_report(tmp_path)
        assert "inspection.json" in str(caught.value)


def test_another_runs_inspection_leaves_its_run_out_by_name(tmp_path):
    make_experiment(tmp_path, games=("Pong",))
    write_inspection(tmp_path, ("ppo", "Pong", "coordconv", 1), run="ppo/Pong/cnn/seed-9")
    page = report(tmp_path)
    assert "inspection.json is that of the run &#39;ppo/Pong/cnn/seed-9&#39;" in page
    assert "4 of 5" in page
