from __future__ import annotations

from small_study import row

from coordconv_rl.studies.report.results import Ratio, ratios
from coordconv_rl.studies.tasks import coordinate_regression


def test_ratios_of_time_and_parameters():
    rows = [row("coordconv", [0.1, 0.3], 2.0, 50), row("convolution", [0.2, 0.6], 8.0, 1000)]
    expected = Ratio("uniform", time=4.0, budget=40.0, parameters=20.0, reached=True)
    assert ratios(coordinate_regression.STUDY, rows) == [expected]
    assert expected.show_time() == "4.0"


def test_ratio_says_not_reached():
    rows = [row("coordconv", [0.1], 2.0, 50), row("convolution", [0.2, 0.6], 8.0, 1000)]
    (ratio,) = ratios(coordinate_regression.STUDY, rows)
    assert not ratio.reached
    assert ratio.show_time().startswith("not reached within 40.0")
