"""..."""

from coordconv_rl.comparison.statistics.analysis import (
    BASELINE,
    BOOTSTRAP_SEED,
    CONTROL,
    THRESHOLDS,
    AlgoAnalysis,
    ArmEstimates,
    Comparison,
    analyse,
    normalise,
)
from coordconv_rl.comparison.statistics.bootstrap import MIN_SEEDS, RESAMPLES, Estimate
from coordconv_rl.comparison.statistics.estimators import Array

__all__ = [
    "BASELINE",
    "BOOTSTRAP_SEED",
    "CONTROL",
    "MIN_SEEDS",
    "RESAMPLES",
    "THRESHOLDS",
    "AlgoAnalysis",
    "ArmEstimates",
    "Array",
    "Comparison",
    "Estimate",
    "analyse",
    "normalise",
]
