"""Which trainings a study needs: one of every setting to choose by, then all seeds of the best.

Settings are chosen by the validation part; no choice looks at the test part. Each training is known
by the path of its folder.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from coordconv_rl.errors import InputError
from coordconv_rl.studies.options import Split, StudyOptions
from coordconv_rl.studies.tasks import MODELS, ModelName, Setting, Study
from coordconv_rl.studies.training.records import Result

CHOICE_SEED = 0  # of the trainings to choose settings by
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
        judged: On which part; "validation" for a training to choose a setting by, which neither
            trains on that part nor sees the test part.
        mnist: The folder of MNIST's files, where the split is made of them.
    """

    study: str
    split: Split
    model: ModelName
    setting: Setting
    seed: int
    seconds: float
    judged: Literal["validation", "test"] = "test"
    mnist: Path | None = None

    @property
    def path(self) -> str:
        """The unit's id and its folder below the study's."""
        leaf = f"seed-{self.seed}" if self.judged == "test" else "choice"
        return f"{self.split}/{self.model}/{self.setting.name}/{leaf}"


def unit_seconds(study: Study, options: StudyOptions, split: Split, model: ModelName) -> float:
    """Give the processor seconds that each training of a model may take in a split.

    CoordConv and its control stop after their epochs. The baseline shares a budget evenly: one
    training for each setting that it chooses from, and one for each seed of the best of them.

    Raises:
        InputError: A budget was asked for in a study whose models all train for their epochs.
    """
    if study.budget is None and options.budget is not None:
        raise InputError(
            f"budget {options.budget:g}: in {study.name} all models train for the same epochs; "
            "leave it out"
        )
    if model != "convolution" or study.budget is None:
        return math.inf
    settings = study.settings(model, split, options.full)
    trainings = (len(settings) if len(settings) > 1 else 0) + options.seeds
    return 60.0 * (options.budget or study.budget) * options.jobs / trainings


def seeds_of(model: ModelName, options: StudyOptions) -> int:
    """Count a model's seeds: as many as asked for, two at most for the control."""
    return min(options.seeds, CONTROL_SEEDS) if model == "shuffled" else options.seeds


def first_units(study: Study, options: StudyOptions) -> list[Unit]:
    """List the trainings to choose settings by, for each model that has several."""
    return [
        Unit(
            study.name,
            split,
            model,
            setting,
            CHOICE_SEED,
            unit_seconds(study, options, split, model),
            judged="validation",
            mnist=options.mnist,
        )
        for model in MODELS
        for split in study.choose(options)
        if len(settings := study.settings(model, split, options.full)) > 1
        for setting in settings
    ]


def last_units(study: Study, options: StudyOptions, root: Path) -> list[Unit]:
    """List all seeds of each model's best setting so far; none of a model without a choice yet."""
    units = []
    for model in MODELS:
        for split in study.choose(options):
            setting = best_setting(study, model, split, root)
            if setting is None:
                continue
            seconds = unit_seconds(study, options, split, model)
            units += [
                Unit(study.name, split, model, setting, seed, seconds, mnist=options.mnist)
                for seed in range(seeds_of(model, options))
            ]
    return units


def tried_settings(
    study: Study, model: ModelName, split: Split, root: Path
) -> list[tuple[float, Setting]]:
    """List the settings with a training to choose by, each with its value on the validation part.

    The value is that at the training's end, as the test value that counts is.
    """
    tried = []
    for setting in study.settings(model, split, True):
        unit = Unit(study.name, split, model, setting, CHOICE_SEED, math.inf, judged="validation")
        result = find_result(root, unit)
        if result is not None and result.test is not None:
            tried.append((result.test, setting))
    return tried


def best_setting(study: Study, model: ModelName, split: Split, root: Path) -> Setting | None:
    """Return the only setting, or that of the best validation value; none without results."""
    settings = study.settings(model, split, True)
    if len(settings) == 1:
        return settings[0]
    best: tuple[float, Setting] | None = None
    for value, setting in tried_settings(study, model, split, root):
        if best is None or study.measure.is_better(value, best[0]):
            best = (value, setting)
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
