"""Numbers with their uncertainty, from the scores of an experiment's runs.

- `estimators`: point estimates: means, IQM, probability of improvement, profiles.
- `bootstrap`: intervals over seeds, tests by game, and the seeds that a difference needs.
- `permutation`: a test of two arms over all games, exact where that can be counted.
- `scale`: what is 0 and what is 1 where scores of several games are averaged.
- `scores`: scores and learning curves as arrays of seeds x games.
- `pairs`: one arm against another.
- `use`: how far scores fall without coordinates, and whether that differs between heads.
- `analysis`: an experiment's results to estimates, by arm and pair of arms.
"""

from coordconv_rl.comparison.statistics.analysis import (
    AlgoAnalysis,
    ArmEstimates,
    analyse,
    tiny_range_games,
)
from coordconv_rl.comparison.statistics.bootstrap import MIN_SEEDS, RESAMPLES, Estimate
from coordconv_rl.comparison.statistics.estimators import Array
from coordconv_rl.comparison.statistics.pairs import BOOTSTRAP_SEED, Comparison
from coordconv_rl.comparison.statistics.permutation import PERMUTATIONS
from coordconv_rl.comparison.statistics.scale import Scale
from coordconv_rl.comparison.statistics.scores import Scores, collect_scores
from coordconv_rl.comparison.statistics.use import Use, UseComparison, analyse_use

__all__ = [
    "BOOTSTRAP_SEED",
    "MIN_SEEDS",
    "PERMUTATIONS",
    "RESAMPLES",
    "AlgoAnalysis",
    "ArmEstimates",
    "Array",
    "Comparison",
    "Estimate",
    "Scale",
    "Scores",
    "Use",
    "UseComparison",
    "analyse",
    "analyse_use",
    "collect_scores",
    "tiny_range_games",
]
