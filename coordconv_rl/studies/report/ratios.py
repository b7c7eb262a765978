"""The baseline against CoordConv: how many times as long, as large, and as good."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass

from coordconv_rl.studies.options import Split
from coordconv_rl.studies.report.results import Row, deviation
from coordconv_rl.studies.tasks import Measure, Study
from coordconv_rl.studies.training import Result


@dataclass(frozen=True)
class Ratio:
    """The baseline against CoordConv in one split; seconds are processor seconds.

    Attributes:
        split: Which positions are held out.
        own_best: For each seed of both, the baseline's seconds until its best test value over
            CoordConv's until its own.
        same_value: The baseline's seconds until its best test value over CoordConv's until a test
            value that is as good, for each seed where CoordConv came that far.
        given: Seconds that the baseline trained; mean over seeds.
        bound: The same over CoordConv's mean seconds until its best test value.
        parameters: The baseline's parameters over CoordConv's.
        reached: Whether a seed of the baseline was ever as good as CoordConv is on average; None
            where a seed of CoordConv never had a value to be compared with.
        value: CoordConv's test value over the baseline's; none where the baseline's is 0.
    """

    split: Split
    own_best: tuple[float, ...]
    same_value: tuple[float, ...]
    given: float
    bound: float
    parameters: float
    reached: bool | None
    value: float | None = None

    def show_bound(self) -> str:
        """Write how much longer the baseline takes to be as good as CoordConv at its best."""
        if self.reached is None:
            return "no comparison: a seed of CoordConv diverged"
        if self.reached:
            return f"reached within {self.bound:.1f}"
        return f"over {self.bound:.1f}: not reached in {self.given:.0f} s"


def ratios(study: Study, rows: list[Row]) -> list[Ratio]:
    """Compare the baseline with CoordConv in each split that has both."""
    by_name = {(row.split, row.model): row for row in rows}
    found = []
    for split in dict.fromkeys(row.split for row in rows):
        ours, theirs = by_name.get((split, "coordconv")), by_name.get((split, "convolution"))
        if ours is not None and theirs is not None:
            found.append(_compare(study.measure, ours, theirs))
    return found


def _compare(measure: Measure, ours: Row, theirs: Row) -> Ratio:
    """Compare both models' rows of one split, seed by seed where that is possible."""
    mean = statistics.fmean
    target = mean(ours.best)
    reached = any(measure.is_as_good(value, target) for value in theirs.best)
    by_seed = {result.seed: result for result in ours.results}
    pairs = [(by_seed[r.seed], r) for r in theirs.results if r.seed in by_seed]
    return Ratio(
        ours.split,
        own_best=_times([(r.best_seconds, own.best_seconds) for own, r in pairs]),
        same_value=_times([(r.best_seconds, _until(own, r, measure)) for own, r in pairs]),
        given=mean(theirs.seconds),
        bound=mean(theirs.seconds) / max(mean(ours.best_seconds), 1e-9),
        parameters=theirs.parameters / ours.parameters,
        reached=None if math.isnan(target) else reached,
        value=_quotient(ours.test, theirs.test),
    )


def _quotient(ours: list[float], theirs: list[float]) -> float | None:
    """Divide two means; none where one is no number or the second is 0."""
    x, y = statistics.fmean(ours), statistics.fmean(theirs)
    return None if math.isnan(x) or math.isnan(y) or y == 0 else x / y


def _until(ours: Result, theirs: Result, measure: Measure) -> float | None:
    """Find our seconds until a test value as good as their best; none if it never came."""
    best = theirs.best_test if theirs.best_test is not None else math.nan
    as_good = (p.seconds for p in ours.curve if measure.is_as_good(p.test, best))
    return next(as_good, None)


def _times(seconds: list[tuple[float | None, float | None]]) -> tuple[float, ...]:
    """Divide each pair of seconds that has both."""
    return tuple(
        theirs / max(ours, 1e-9)
        for theirs, ours in seconds
        if theirs is not None and ours is not None
    )


def show_times(times: tuple[float, ...], seeds: int) -> str:
    """Write mean and standard deviation of ratios, and of how many seeds if some have none."""
    if not times:
        return "CoordConv never as good"
    spread = f" ± {deviation(list(times)):.1f}" if len(times) > 1 else ""
    missing = f" ({len(times)} of {seeds} seeds)" if len(times) < seeds else ""
    return f"{statistics.fmean(times):.1f}{spread}{missing}"


def ratio_lines(study: Study, found: list[Ratio]) -> tuple[list[str], list[list[str]]]:
    """Write the ratios as a table with the paper's figures beside them."""
    head = ["split", "convolution / CoordConv", "here", "the paper"]
    lines = []
    for ratio in found:
        seeds = len(ratio.own_best)
        said = study.paper.time_ratio if ratio.split != "quadrant" else "-"
        own, same = (show_times(times, seeds) for times in (ratio.own_best, ratio.same_value))
        lines += [
            [ratio.split, "time to its own best", own, said],
            [ratio.split, "time to convolution's best", same, "-"],
            [ratio.split, "time to CoordConv's best", ratio.show_bound(), "-"],
            [ratio.split, "parameters", f"{ratio.parameters:.1f}", study.paper.parameter_ratio],
        ]
        if study.paper.value_ratio != "-":
            name = f"{study.measure.name}, CoordConv / convolution"
            value = "-" if ratio.value is None else f"{ratio.value:.2f}"
            lines.append([ratio.split, name, value, study.paper.value_ratio])
    return head, lines
