"""Which trainings a study needs: seed 0 of every setting, then more seeds of the best ones.

Each is known by the path of its folder.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from coordconv_rl.errors import InputError
from coordconv_rl.studies.options import Split, StudyOptions
from coordconv_rl.studies.tasks import MODELS, ModelName, Setting, Study
from coordconv_rl.studies.training.records import Result

CONTROL_SEEDS = 2  # the control shows that geometry matters; it needs no fine spread


@dataclass(frozen=True)
class Unit:
    """One training.

    Attributes:
        study: The study's name.
        split: Which positions are held out.
        model: Which of the three models.
        setting: Sizes and step sizes.
        seed: Fixes weights, minibatches, shuffled coordinates and the uniform split.
        seconds: Processor seconds that it may train altogether, earlier attempts included.
    """

    study: str
    split: Split
    model: ModelName
    setting: Setting
    seed: int
    seconds: float

    @property
    def path(self) -> str:
        """The unit's id and its folder below the study's."""
        return f"{self.split}/{self.model}/{self.setting.name}/seed-{self.seed}"


def unit_seconds(study: Study, options: StudyOptions, split: Split, model: ModelName) -> float:
    """Give the processor seconds that each training of a model may take in a split.

    CoordConv and its control stop after their epochs. The baseline shares a budget evenly: one
    training for each setting, and the remaining seeds for the best of them.
    """
    if model != "convolution":
        return math.inf
    trainings = len(study.settings(model, split, options.full)) + options.seeds - 1
    return 60.0 * (options.budget or study.budget) * options.jobs / trainings


def seeds_of(model: ModelName, options: StudyOptions) -> int:
    """Count a model's seeds: as many as asked for, two at most for the control."""
    return min(options.seeds, CONTROL_SEEDS) if model == "shuffled" else options.seeds


def first_units(study: Study, options: StudyOptions) -> list[Unit]:
    """List the trainings that depend on no result: seed 0 of every setting of every model."""
    return [
        Unit(study.name, split, model, setting, 0, unit_seconds(study, options, split, model))
        for model in MODELS
        for split in options.splits
        for setting in study.settings(model, split, options.full)
    ]


def last_units(study: Study, options: StudyOptions, root: Path) -> list[Unit]:
    """List the other seeds of each model's best setting so far; none of a model without results."""
    units = []
    for model in MODELS:
        for split in options.splits:
            setting = best_setting(study, model, split, root)
            if setting is None:
                continue
            seconds = unit_seconds(study, options, split, model)
            units += [
                Unit(study.name, split, model, setting, seed, seconds)
                for seed in range(1, seeds_of(model, options))
            ]
    return units


def best_setting(study: Study, model: ModelName, split: Split, root: Path) -> Setting | None:
    """Return the setting whose seed 0 had the best test value at any time; none without results.

    The choice looks at the test set: that favours the models with several settings, which are the
    baseline and some controls, never CoordConv.
    """
    best: tuple[float, Setting] | None = None
    for setting in study.settings(model, split, True):
        result = find_result(root, Unit(study.name, split, model, setting, 0, math.inf))
        if result is None or result.best_test is None:
            continue
        if best is None or study.measure.is_better(result.best_test, best[0]):
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
