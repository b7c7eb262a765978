from __future__ import annotations

import dataclasses

from small_study import row

from coordconv_rl.studies.report.results import table
from coordconv_rl.studies.tasks import coordinate_regression


def test_a_study_without_a_goal_has_no_such_column():
    without = dataclasses.replace(coordinate_regression.STUDY.measure, goal=None)
    study = dataclasses.replace(coordinate_regression.STUDY, measure=without)
    head, (line,) = table(study, [row("coordconv", [0.1], 2.0, 50)])
    assert not any(cell.startswith("goal") for cell in head)
    assert len(head) == len(line)
