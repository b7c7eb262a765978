"""Numbers with their uncertainty, from the scores of an experiment's runs.

- `estimators`: point estimates: means, IQM, probability of improvement, profiles.
- `bootstrap`: intervals over seeds, tests by game, and the seeds that a difference needs.
- `scores`: scores and learning curves as arrays of seeds x games.
- `analysis`: an experiment's results to estimates, by arm and pair of arms.
"""

from coordconv_rl.comparison.statistics.analysis import (
    BASELINE,
    BOOTSTRAP_SEED,
    CONTROL,
    AlgoAnalysis,
    ArmEstimates,
    Comparison,
    analyse,
)
from coordconv_rl.comparison.statistics.bootstrap import MIN_SEEDS, RESAMPLES, Estimate
from coordconv_rl.comparison.statistics.estimators import Array
from coordconv_rl.comparison.statistics.scores import Scores, collect_scores

__all__ = [
    "BASELINE",
    "BOOTSTRAP_SEED",
    "CONTROL",
    "MIN_SEEDS",
    "RESAMPLES",
    "AlgoAnalysis",
    "ArmEstimates",
    "Array",
    "Comparison",
    "Estimate",
    "Scores",
    "analyse",
    "collect_scores",
]
