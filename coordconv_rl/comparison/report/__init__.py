"""..."""

from coordconv_rl.comparison.report.curves import learning_curves_figure
from coordconv_rl.comparison.report.inspections import INSPECTION_FILE
from coordconv_rl.comparison.report.scores import (
    ScoreTable,
    make_score_tables,
    note,
    title,
    to_csv,
    to_markdown,
)
from coordconv_rl.comparison.report.write import write_report

__all__ = [
    "INSPECTION_FILE",
    "ScoreTable",
    "learning_curves_figure",
    "make_score_tables",
    "note",
    "title",
    "to_csv",
    "to_markdown",
    "write_report",
]
