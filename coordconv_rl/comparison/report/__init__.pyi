from .as_csv import scores_csv
from .as_markdown import tables_as_markdown
from .figures import learning_curves_figure
from .inspections import inspectable
from .score_tables import aggregates_table, game_scores_table
from .tables import Table, are, counted
from .verdict import answer, cautions
from .write import write_report

__all__ = [
    "Table",
    "aggregates_table",
    "answer",
    "are",
    "cautions",
    "counted",
    "game_scores_table",
    "inspectable",
    "learning_curves_figure",
    "scores_csv",
    "tables_as_markdown",
    "write_report",
]
