"""Which trainings a study needs: some of every setting to choose by, then all seeds of the best.

Settings are chosen by the validation part, in two rounds: one training of each setting, then two
more of the best three, whose means decide. One alone would choose by luck: a step size that was the
best with one seed does not learn at all with another. No choice looks at the test part, and no seed
to choose by is among those that are shown. Each training is known by the path of its folder.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from coordconv_rl.errors import InputError
from coordconv_rl.studies.options import Split, StudyOptions
from coordconv_rl.studies.tasks import MODELS, Measure, ModelName, Setting, Study
from coordconv_rl.studies.training.records import Result

CHOICE_SEED = 1000  # the first of the trainings to choose settings by; those shown end at 999
CHOICE_SEEDS = 3
CHOICE_SHARE = 0.25  # of what a seed shown may train, what one to choose settings by may
FINALISTS = 3  # settings that are trained with all seeds to choose by
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
        leaf = "seed" if self.judged == "test" else "choice"
        return f"{self.split}/{self.model}/{self.setting.name}/{leaf}-{self.seed}"


@dataclass(frozen=True)
class Tried:
    """A setting, and its values on the validation part, one for each seed to choose by so far.

    A value is that at the training's end, as the test value that counts is.
    """

    setting: Setting
    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """What settings are compared by."""
        return statistics.fmean(self.values)


def unit_seconds(study: Study, options: StudyOptions, split: Split, model: ModelName) -> float:
    """Give the processor seconds that a model's training of a seed shown may take in a split.

    CoordConv and its control stop after their epochs. The baseline shares a budget: of what each
    seed of the best setting gets, a training to choose a setting by gets a quarter.

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
    settings, shares = len(study.settings(model, split, options.full)), float(options.seeds)
    if settings > 1:
        further = min(FINALISTS, settings) * (choice_seeds(model, options) - 1)
        shares += CHOICE_SHARE * (settings + further)
    return 60.0 * (options.budget or study.budget) * options.jobs / shares


def seeds_of(model: ModelName, options: StudyOptions) -> int:
    """Count a model's seeds: as many as asked for, two at most for the control."""
    return min(options.seeds, CONTROL_SEEDS) if model == "shuffled" else options.seeds


def choice_seeds(model: ModelName, options: StudyOptions) -> int:
    """Count a model's seeds to choose a setting by: three, and one for the control.

    There are no more than the model is shown with.
    """
    return 1 if model == "shuffled" else min(CHOICE_SEEDS, seeds_of(model, options))


def first_units(study: Study, options: StudyOptions) -> list[Unit]:
    """List one training to choose by of each setting, for each model that has several."""
    return [
        _choice_unit(study, options, split, model, setting, CHOICE_SEED)
        for model in MODELS
        for split in study.choose(options)
        if len(settings := study.settings(model, split, options.full)) > 1
        for setting in settings
    ]


def second_units(study: Study, options: StudyOptions, root: Path) -> list[Unit]:
    """List the further trainings to choose by, of the settings that the first ones found best."""
    return [
        _choice_unit(study, options, split, model, setting, CHOICE_SEED + index)
        for model in MODELS
        for split in study.choose(options)
        for setting in _finalists(study, model, split, root)
        for index in range(1, choice_seeds(model, options))
    ]


def _choice_unit(
    study: Study, options: StudyOptions, split: Split, model: ModelName, setting: Setting, seed: int
) -> Unit:
    seconds = CHOICE_SHARE * unit_seconds(study, options, split, model)
    return Unit(study.name, split, model, setting, seed, seconds, "validation", options.mnist)


def _finalists(study: Study, model: ModelName, split: Split, root: Path) -> list[Setting]:
    """List the settings with the best first trainings, the best one first."""
    tried = tried_settings(study, model, split, root)
    tried.sort(key=lambda one: _rank(study.measure, one.values[0]))
    return [one.setting for one in tried[:FINALISTS]]


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


def tried_settings(study: Study, model: ModelName, split: Split, root: Path) -> list[Tried]:
    """List the settings with trainings to choose by, the best first.

    Best are, among those with the most such trainings, those of the best mean.
    """
    tried = []
    for setting in study.settings(model, split, True):
        values = []
        for seed in range(CHOICE_SEED, CHOICE_SEED + CHOICE_SEEDS):
            unit = Unit(study.name, split, model, setting, seed, math.inf, judged="validation")
            result = find_result(root, unit)
            if result is None or result.test is None or not result.is_ended:
                break
            values.append(result.test)
        if values:
            tried.append(Tried(setting, tuple(values)))
    return sorted(tried, key=lambda one: (-len(one.values), _rank(study.measure, one.mean)))


def _rank(measure: Measure, value: float) -> float:
    """Turn a value into a number to sort by, the best first; one of a diverged training last."""
    if math.isnan(value):
        return math.inf
    return -value if measure.higher_is_better else value


def best_setting(study: Study, model: ModelName, split: Split, root: Path) -> Setting | None:
    """Return the only setting, or the best on the validation part; none without results."""
    settings = study.settings(model, split, True)
    if len(settings) == 1:
        return settings[0]
    tried = tried_settings(study, model, split, root)
    return tried[0].setting if tried else None


def find_result(root: Path, unit: Unit) -> Result | None:
    """Read a unit's result, if it has one.

    Raises:
        InputError: The result is damaged, or was made with another setting of the same name.
    """
    result = Result.read(root / unit.path)
    if result is not None and result.setting != asdict(unit.setting):
        raise InputError(
            f"{root / unit.path} was trained with other settings, by another version: delete it, "
            "or choose another folder"
        )
    return result
