"""From the folders of a study to rows of a table: means and spreads over seeds."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from pathlib import Path

from coordconv_rl.studies.options import Split, StudyOptions
from coordconv_rl.studies.tasks import MODELS, Measure, ModelName, Setting, Study
from coordconv_rl.studies.training import (
    Result,
    Tried,
    Unit,
    best_setting,
    find_result,
    seeds_of,
    tried_settings,
)

UNEVEN = 1.1  # times the seconds of another seed: more than steps and evaluations make


@dataclass(frozen=True)
class Row:
    """One model in one split, over its seeds.

    Attributes:
        split: Which positions are held out.
        model: The model.
        setting: Its setting: the best so far on the validation part, where it has a choice.
        tried: The settings that it was chosen from, itself first; none where there was no choice.
        results: One result for each seed that has one, in the order of the seeds.
        wanted: Seeds that were asked for.
    """

    split: Split
    model: ModelName
    setting: Setting
    tried: tuple[Tried, ...]
    results: tuple[Result, ...]
    wanted: int

    @property
    def parameters(self) -> int:
        """Trainable numbers in the network."""
        return self.results[0].parameters

    @property
    def train(self) -> list[float]:
        """Final values on the training positions, one a seed."""
        return [r.train for r in self.results if r.train is not None]

    @property
    def test(self) -> list[float]:
        """Final values on the held-out positions, one a seed."""
        return [r.test for r in self.results if r.test is not None]

    @property
    def best(self) -> list[float]:
        """Best values on the held-out positions at any time, one a seed."""
        return [r.best_test for r in self.results if r.best_test is not None]

    @property
    def best_seconds(self) -> list[float]:
        """Processor seconds until those best values, one a seed."""
        return [r.best_seconds for r in self.results if r.best_seconds is not None]

    @property
    def seconds(self) -> list[float]:
        """Processor seconds of the whole trainings, one a seed."""
        return [r.seconds for r in self.results]

    def reached(self, measure: Measure) -> int:
        """Count the seeds whose final test value reaches the study's goal."""
        return sum(measure.is_reached(value) for value in self.test)


def collect(study: Study, options: StudyOptions, root: Path) -> list[Row]:
    """Read the rows of all models in all splits that have a result, in that order."""
    rows = []
    for split in study.choose(options):
        for model in MODELS:
            row = _row(study, options, split, model, root)
            if row is not None:
                rows.append(row)
    return rows


def _row(
    study: Study, options: StudyOptions, split: Split, model: ModelName, root: Path
) -> Row | None:
    setting = best_setting(study, model, split, root)
    if setting is None:
        return None
    wanted = seeds_of(model, options)
    units = [Unit(study.name, split, model, setting, s, math.inf) for s in range(wanted)]
    found = [find_result(root, unit) for unit in units]
    results = tuple(result for result in found if result and result.curve and result.is_ended)
    tried = tuple(tried_settings(study, model, split, root))
    return Row(split, model, setting, tried, results, wanted) if results else None


def cautions(rows: list[Row]) -> list[str]:
    """Say of which rows the seeds were given unequal budgets, as by calls with several of them."""
    said = []
    for row in rows:
        least, most = min(row.seconds), max(row.seconds)
        if most > UNEVEN * least and any(result.status == "budget" for result in row.results):
            said.append(
                f"{row.split} {row.model}: its seeds trained for {least:.0f} to {most:.0f} s, by "
                "calls with different budgets, so a mean over them says little: call the study "
                "with the largest budget once more"
            )
    return said


def deviation(values: list[float]) -> float:
    """Give the standard deviation over seeds (n - 1); 0 for a single seed."""
    return statistics.stdev(values) if len(values) > 1 else 0.0


def show(measure: Measure, values: list[float]) -> str:
    """Write mean and standard deviation over seeds, as in "98.61% ± 0.40".

    One seed without a finite value leaves no mean: then it says how many have none.
    """
    if lost := sum(math.isnan(value) for value in values):
        return f"{lost} of {len(values)} diverged"
    factor = 100 if measure.unit == "%" else 1
    mean = measure.show(statistics.fmean(values))
    return mean + _plus_minus([factor * value for value in values], 2 if factor > 1 else 3)


def _plus_minus(values: list[float], digits: int) -> str:
    """Write the spread; nothing for a single seed, which has none."""
    return f" ± {deviation(values):.{digits}f}" if len(values) > 1 else ""


def table(study: Study, rows: list[Row]) -> tuple[list[str], list[list[str]]]:
    """Write the rows as text: the head, then one list a row."""
    name, measure = study.measure.name, study.measure
    head = ["split", "model", "seeds", f"train {name}", f"test {name}", f"best test {name}"]
    if measure.goal is not None:
        head.append(f"goal {measure.show(measure.goal)}")
    head += ["s to best", "s in all", "parameters", "settings"]
    lines = []
    for row in rows:
        line = [row.split, row.model, f"{len(row.results)} of {row.wanted}"]
        line += [show(measure, values) for values in (row.train, row.test, row.best)]
        if measure.goal is not None:
            line.append(f"{row.reached(measure)} of {len(row.results)}")
        line += [
            f"{statistics.fmean(row.best_seconds):.1f}" + _plus_minus(row.best_seconds, 1),
            f"{statistics.fmean(row.seconds):.1f}",
            f"{row.parameters:,}",
            f"best of {len(row.tried)}" if row.tried else "1",
        ]
        lines.append(line)
    return head, lines
