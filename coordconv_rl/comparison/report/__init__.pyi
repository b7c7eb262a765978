from .as_csv import scores_csv
from .as_markdown import tables_as_markdown, verdict_as_markdown
from .cautions import limits
from .figures import learning_curves_figure
from .inspections import inspectable
from .score_tables import aggregates_table, game_scores_table, pairs_table
from .tables import Table, are, counted
from .verdict import answer
from .write import write_report

__all__ = [
    "Table",
    "aggregates_table",
    "answer",
    "are",
    "counted",
    "game_scores_table",
    "inspectable",
    "learning_curves_figure",
    "limits",
    "pairs_table",
    "scores_csv",
    "tables_as_markdown",
    "verdict_as_markdown",
    "write_report",
]
