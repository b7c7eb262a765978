from __future__ import annotations

import dataclasses

from small_study import row

from coordconv_rl.studies.report.results import Ratio, ratios, table
from coordconv_rl.studies.tasks import coordinate_regression


def test_ratios_of_time_and_parameters():
    rows = [row("coordconv", [0.1, 0.3], 2.0, 50), row("convolution", [0.2, 0.6], 8.0, 1000)]
    expected = Ratio("uniform", time=4.0, budget=40.0, parameters=20.0, reached=True, value=0.5)
    assert ratios(coordinate_regression.STUDY, rows) == [expected]
    assert expected.show_time() == "4.0"


def test_ratio_says_not_reached():
    rows = [row("coordconv", [0.1], 2.0, 50), row("convolution", [0.2, 0.6], 8.0, 1000)]
    (ratio,) = ratios(coordinate_regression.STUDY, rows)
    assert not ratio.reached
    assert ratio.show_time().startswith("not reached within 40.0")


def test_ratio_of_values_is_none_where_the_baseline_has_nothing():
    rows = [row("coordconv", [0.1], 2.0, 50), row("convolution", [0.0, 0.0], 8.0, 1000)]
    assert ratios(coordinate_regression.STUDY, rows)[0].value is None


def test_a_study_without_a_goal_has_no_such_column():
    without = dataclasses.replace(coordinate_regression.STUDY.measure, goal=None)
    study = dataclasses.replace(coordinate_regression.STUDY, measure=without)
    head, (line,) = table(study, [row("coordconv", [0.1], 2.0, 50)])
    assert not any(cell.startswith("goal") for cell in head)
    assert len(head) == len(line)
