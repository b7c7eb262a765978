"""How numbers, intervals and counts are written."""

from __future__ import annotations

import numpy as np
import pytest

from coordconv_rl.comparison.report.tables import (
    NONE,
    Cell,
    Table,
    bounds,
    counted,
    interval,
    number,
)
from coordconv_rl.comparison.statistics import Estimate


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.12345, 3, "0.123"),
        (12.345, 3, "12.3"),
        (1234.5, 3, "1,234"),
        (-0.5, 3, "-0.5"),
        (float("nan"), 3, NONE),
        (None, 3, NONE),
    ],
)
def test_numbers_show_significant_digits(value, digits, text):
    assert number(value, digits).text == text


def test_padding_keeps_zeros_so_that_columns_line_up():
    assert number(0.5, pad=True).text == "0.500"
    assert number(0.5).text == "0.5"


def test_intervals_stand_below_their_number_or_say_why_there_is_none():
    whole = Estimate(np.array(0.5), np.array(0.25), np.array(0.75))
    assert interval(whole, signed=True) == Cell("+0.500", "0.250 to 0.750", 0.5)
    few = Estimate(np.array(-0.5), None, None)
    assert interval(few, signed=True) == Cell("-0.500", "no interval: under 3 seeds", -0.5)
    assert bounds(few) == ""
    assert interval(None) == Cell(NONE)


def test_a_column_of_words_is_told_from_one_of_numbers():
    rows = ((Cell("a"), Cell("1", value=1.0)), (Cell("b"), Cell(NONE)))
    table = Table("x", ("name", "count"), rows)
    assert [table.is_text(place) for place in (0, 1)] == [True, False]


def test_counts_are_singular_and_plural():
    assert [counted(n, "seed") for n in (0, 1, 2, 2000)] == [
        "0 seeds",
        "1 seed",
        "2 seeds",
        "2,000 seeds",
    ]
