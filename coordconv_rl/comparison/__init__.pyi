from .baselines import pairs_against
from .export import export_comparison
from .results import Results, RunResult, final_scores, read_results

__all__ = [
    "Results",
    "RunResult",
    "export_comparison",
    "final_scores",
    "pairs_against",
    "read_results",
]
