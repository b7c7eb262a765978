"""Which trainings a study needs: settings are chosen by the validation part alone."""

from __future__ import annotations

import dataclasses
import math

import pytest
from small_study import finished

from coordconv_rl.errors import InputError
from coordconv_rl.studies import StudyOptions
from coordconv_rl.studies.report.results import collect, table
from coordconv_rl.studies.tasks import coordinate_classification as classification
from coordconv_rl.studies.tasks import translation
from coordconv_rl.studies.training import plan


def leave_result(root, unit, value):
    """Leave a unit's result with that value on the part that it is judged by."""
    result = finished(unit.path, value, 1.0)
    result.setting = dataclasses.asdict(unit.setting)
    (root / unit.path).mkdir(parents=True)
    result.write(root / unit.path)


@pytest.mark.parametrize(
    ("model", "settings", "seeds"), [("convolution", 2, [0, 1, 2]), ("shuffled", 3, [0, 1])]
)
def test_the_best_of_several_settings_on_the_validation_part_gets_all_seeds(
    tmp_path, model, settings, seeds
):
    study, options = classification.STUDY, StudyOptions(seeds=3, split="uniform", budget=1)
    first = [u for u in plan.first_units(study, options) if u.model == model]
    assert [(u.seed, u.judged) for u in first] == settings * [(0, "validation")]
    assert len({u.path for u in first}) == settings
    for wanted, accuracy in zip(first, (0.1, 0.2, 0.0)[:settings], strict=True):
        leave_result(tmp_path, wanted, accuracy)
    last = plan.last_units(study, options, tmp_path)  # two seeds at most for the control
    last = [u for u in last if u.model == model]
    assert [(u.seed, u.judged) for u in last] == [(seed, "test") for seed in seeds]
    assert {u.setting for u in last} == {first[1].setting}
    spent = 60 * options.jobs if model == "convolution" else math.inf
    assert sum(u.seconds for u in first + last) == pytest.approx(spent)

    leave_result(tmp_path, last[0], 0.3)
    (shown,) = collect(study, options, tmp_path)
    assert (shown.setting, shown.tried) == (first[1].setting, settings)
    assert f"best of {settings}" in table(study, [shown])[1][0]


def test_no_choice_looks_at_the_test_part(tmp_path):
    study, options = classification.STUDY, StudyOptions(seeds=1, split="quadrant")
    first = [u for u in plan.first_units(study, options) if u.model == "coordconv"]
    for wanted, accuracy in zip(first, (0.5, 0.4, 0.3), strict=True):
        leave_result(tmp_path, wanted, accuracy)
    others = [dataclasses.replace(u, judged="test") for u in first]
    for unit, accuracy in zip(others, (0.1, 0.2, 0.9), strict=True):
        leave_result(tmp_path, unit, accuracy)
    assert plan.best_setting(study, "coordconv", "quadrant", tmp_path) == first[0].setting


def test_a_single_setting_needs_no_choice(tmp_path):
    study, options = translation.STUDY, StudyOptions(seeds=2)
    assert plan.first_units(study, options) == []
    last = plan.last_units(study, options, tmp_path)
    assert len(last) == 3 * 2 * 2  # models, splits, seeds


def test_a_budget_is_refused_where_all_models_take_the_same_steps():
    study = dataclasses.replace(translation.STUDY, budget=None)
    unit = plan.last_units(study, StudyOptions(seeds=1), None)[0]
    assert unit.seconds == math.inf
    with pytest.raises(InputError, match="budget 3: in translation all models"):
        plan.last_units(study, StudyOptions(budget=3), None)
