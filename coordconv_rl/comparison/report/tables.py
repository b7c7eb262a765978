"""The report's tables as data, which the page and the Markdown file both show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coordconv_rl.comparison.statistics import MIN_SEEDS, Estimate

NONE = "\u2013"  # a dash, for what is not known


@dataclass(frozen=True)
class Cell:
    """One cell: its text, a smaller second line, and the number that it stands for, if any."""

    text: str
    detail: str = ""
    value: float | None = None


@dataclass(frozen=True)
class Table:
    """A table with a caption, a heading for each column, and rows of as many cells."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def is_text(self, column: int) -> bool:
        """Tell whether a column holds words and no numbers."""
        return all(row[column].value is None and row[column].text != NONE for row in self.rows)


def number(value: float | None, digits: int = 3, *, pad: bool = False) -> Cell:
    """Return a cell with a number of that many significant digits; a dash for NaN and None.

    Args:
        value: The number.
        digits: Significant digits; large numbers show all before the point.
        pad: Whether zeros at the end stay, so that columns line up.
    """
    if value is None or not np.isfinite(value):
        return Cell(NONE)
    large = abs(value) >= 10 ** (digits - 1)
    text = f"{value:#.{digits}g}" if pad else f"{value:.{digits}g}"
    return Cell(f"{value:,.0f}" if large else text.rstrip("."), value=float(value))


def interval(estimate: Estimate | None, *, signed: bool = False) -> Cell:
    """Return a cell with a single number's estimate and, below, its interval or the lack of it."""
    if estimate is None or not np.isfinite(estimate.value):
        return Cell(NONE)
    main = number(float(estimate.value), pad=True)
    text = f"+{main.text}" if signed and float(estimate.value) > 0 else main.text
    return Cell(text, bounds(estimate) or f"no interval: under {MIN_SEEDS} seeds", main.value)


def bounds(estimate: Estimate) -> str:
    """Return "low to high", or nothing where there are too few seeds for an interval."""
    if estimate.low is None or estimate.high is None:
        return ""
    low, high = (number(float(end), pad=True).text for end in (estimate.low, estimate.high))
    return f"{low} to {high}"


def are(count: int) -> str:
    """Return the verb that goes with a number: "is" or "are"."""
    return "is" if count == 1 else "are"


def counted(count: int, what: str) -> str:
    """Return a number with its word, as in "1 seed" and "2,000 seeds"."""
    return f"{count:,} {what}" + ("" if count == 1 else "s")
