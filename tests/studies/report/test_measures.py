"""The second table: further measures, with the best that there can be above them."""

from __future__ import annotations

import dataclasses

from small_study import SMALL, row

from coordconv_rl.studies.report.measures import measures_table


def rows():
    ours, theirs = row("coordconv", [0.1, 0.3], 2.0, 50), row("convolution", [0.2], 8.0, 1000)
    for result, value in zip((*ours.results, *theirs.results), (0.5, 0.7, 0.25), strict=True):
        result.measures = {"recall": value}
    ours.results[0].measures["found"] = 1.0
    return [ours, theirs]


def test_means_and_spreads_over_seeds():
    assert measures_table(SMALL, rows()) == (
        ["split", "model", "recall", "found"],
        [
            ["uniform", "coordconv", "0.600 ± 0.141", "1.000"],
            ["uniform", "convolution", "0.250", "-"],
        ],
    )


def test_the_ceiling_stands_above_for_as_many_seeds():
    study = dataclasses.replace(SMALL, ceiling=lambda split, seed: {"recall": 0.8 + 0.1 * seed})
    _, lines = measures_table(study, rows())
    assert lines[0] == ["uniform", "real data", "0.850 ± 0.071", "-"]
    assert len(lines) == 3


def test_no_measures_no_table():
    assert measures_table(SMALL, [row("coordconv", [0.1], 2.0, 50)]) is None
