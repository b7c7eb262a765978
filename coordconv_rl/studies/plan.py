"""Which trainings a study needs: every model and seed, and for the baseline a search first."""

from __future__ import annotations

import math
from pathlib import Path

from coordconv_rl.errors import InputError
from coordconv_rl.studies.options import Split, StudyOptions
from coordconv_rl.studies.records import Result
from coordconv_rl.studies.study import Model, Setting, Study
from coordconv_rl.studies.units import Unit

CONTROL_SEEDS = 3  # the control shows that geometry matters; it needs no fine spread


def baseline_seconds(study: Study, options: StudyOptions, split: Split) -> float:
    """Share the baseline's budget: the processor seconds of each of its trainings in a split.

    One training for each setting, and the remaining seeds for the best of them.
    """
    trainings = len(study.settings("convolution", split, options.full)) + options.seeds - 1
    return 60.0 * (options.budget or study.budget) * options.jobs / trainings


def seeds_of(model: Model, options: StudyOptions) -> int:
    """Count a model's seeds: as many as asked for, three at most for the control."""
    return min(options.seeds, CONTROL_SEEDS) if model == "shuffled" else options.seeds


def first_units(study: Study, options: StudyOptions) -> list[Unit]:
    """List the trainings that depend on no result: all but the baseline's seeds from 1 on."""
    units = []
    models: tuple[Model, ...] = ("coordconv", "shuffled")
    for model in models:
        for split in options.splits:
            (setting,) = study.settings(model, split, options.full)
            units += [
                Unit(study.name, split, model, setting, seed, math.inf)
                for seed in range(seeds_of(model, options))
            ]
    for split in options.splits:
        seconds = baseline_seconds(study, options, split)
        units += [
            Unit(study.name, split, "convolution", setting, 0, seconds)
            for setting in study.settings("convolution", split, options.full)
        ]
    return units


def last_units(study: Study, options: StudyOptions, root: Path) -> list[Unit]:
    """List the other seeds of the baseline's best setting so far."""
    units = []
    for split in options.splits:
        setting = best_setting(study, "convolution", split, root)
        if setting is not None:
            seconds = baseline_seconds(study, options, split)
            units += [
                Unit(study.name, split, "convolution", setting, seed, seconds)
                for seed in range(1, options.seeds)
            ]
    return units


def best_setting(study: Study, model: Model, split: Split, root: Path) -> Setting | None:
    """Return the setting whose seed 0 had the best test value at any time; none without results.

    The choice looks at the test set: that favours the baseline, the only model with a choice.
    """
    best: tuple[float, Setting] | None = None
    for setting in study.settings(model, split, True):
        result = find_result(root, Unit(study.name, split, model, setting, 0, math.inf))
        if result is None or result.best_test is None:
            continue
        if best is None or study.measure.better(result.best_test, best[0]):
            best = (result.best_test, setting)
    return best[1] if best else None


def find_result(root: Path, unit: Unit) -> Result | None:
    """Read a unit's result, if it has one.

    Raises:
        InputError: The result is damaged, or was made with another setting of the same name.
    """
    result = Result.read(root / unit.path)
    if result is not None and result.setting != vars(unit.setting):
        raise InputError(
            f"{root / unit.path} was trained with other settings, by another version: delete it, "
            "or choose another folder"
        )
    return result
