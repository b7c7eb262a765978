"""Which trainings a study needs: settings are chosen by the validation part alone."""

from __future__ import annotations

import dataclasses
import math

import pytest
from small_study import finished

from coordconv_rl.errors import InputError
from coordconv_rl.studies import StudyOptions
from coordconv_rl.studies.report.page import settings_lines
from coordconv_rl.studies.report.results import collect, table
from coordconv_rl.studies.tasks import coordinate_classification as classification
from coordconv_rl.studies.tasks import coordinate_regression as regression
from coordconv_rl.studies.tasks import translation
from coordconv_rl.studies.tasks.study import Setting
from coordconv_rl.studies.training import plan

GRID = tuple(Setting(0.1, width=width) for width in range(1, 6))


def leave_result(root, unit, value):
    """Leave a unit's result with that value on the part that it is judged by."""
    result = finished(unit.path, value, 1.0)
    result.setting = dataclasses.asdict(unit.setting)
    (root / unit.path).mkdir(parents=True)
    result.write(root / unit.path)


def choose(study, options, root, model, values):
    """Leave each setting's values to choose by, seed by seed; return all trainings that made them.

    `values` has those of the settings in order: as many as trainings of it are asked for.
    """
    first = [u for u in plan.first_units(study, options) if u.model == model]
    for unit, known in zip(first, values, strict=True):
        leave_result(root, unit, known[0])
    by_setting = dict(zip([u.setting for u in first], values, strict=True))
    second = [u for u in plan.second_units(study, options, root) if u.model == model]
    for unit in second:
        leave_result(root, unit, by_setting[unit.setting][unit.seed - plan.CHOICE_SEED])
    return first + second


@pytest.mark.parametrize(
    ("model", "values", "seeds"),
    [
        ("convolution", [(0.1, 0.2, 0.3), (0.2, 0.3, 0.3)], [0, 1, 2]),
        ("shuffled", [(0.1,), (0.2,), (0.0,)], [0, 1]),
    ],
)
def test_the_best_of_several_settings_on_the_validation_part_gets_all_seeds(
    tmp_path, model, values, seeds
):
    study, options = classification.STUDY, StudyOptions(seeds=3, split="uniform", budget=1)
    choice = choose(study, options, tmp_path, model, values)
    assert sorted(u.seed for u in choice) == sorted(
        plan.CHOICE_SEED + index for known in values for index in range(len(known))
    )
    assert {u.judged for u in choice} == {"validation"}
    assert len({u.path for u in choice}) == len(choice)
    last = plan.last_units(study, options, tmp_path)  # two seeds at most for the control
    last = [u for u in last if u.model == model]
    assert [(u.seed, u.judged) for u in last] == [(seed, "test") for seed in seeds]
    assert {u.setting for u in last} == {choice[1].setting}
    if model == "convolution":  # the others stop after their epochs
        assert [4 * u.seconds for u in choice] == pytest.approx(len(choice) * [last[0].seconds])
    spent = 60 * options.jobs if model == "convolution" else math.inf
    assert sum(u.seconds for u in choice + last) == pytest.approx(spent)

    leave_result(tmp_path, last[0], 0.3)
    (shown,) = collect(study, options, tmp_path)
    assert shown.setting == choice[1].setting == shown.tried[0].setting
    assert f"best of {len(values)}" in table(study, [shown])[1][0]
    chosen, *others = settings_lines(study, [shown])[1]
    assert chosen[2] == shown.setting.name
    assert chosen[3] == ("26.67% ± 5.77 (n 3)" if model == "convolution" else "20.00% (n 1)")
    assert [line[-1] for line in others] == ["not chosen"] * (len(values) - 1)


def test_a_setting_that_fails_with_one_seed_is_not_chosen_for_another_seeds_luck(tmp_path):
    study, options = regression.STUDY, StudyOptions(seeds=5, split="uniform")
    values = [(0.3, 0.2, 0.3), (0.01, 18.0, 0.02)]  # pixels
    first, *_ = choose(study, options, tmp_path, "coordconv", values)
    assert plan.best_setting(study, "coordconv", "uniform", tmp_path) == first.setting


def test_of_a_large_grid_the_best_three_are_trained_again_and_decide_by_their_means(tmp_path):
    study = dataclasses.replace(classification.STUDY, settings=lambda *_: GRID)
    options = StudyOptions(seeds=5, split="uniform", budget=1)
    values = [(0.1,), (0.5, 0.1, 0.1), (math.nan,), (0.4, 0.3, 0.3), (0.3, 0.2, 0.2)]
    choice = choose(study, options, tmp_path, "convolution", values)
    assert [u.setting for u in choice[5:]] == [GRID[1]] * 2 + [GRID[3]] * 2 + [GRID[4]] * 2
    assert plan.best_setting(study, "convolution", "uniform", tmp_path) == GRID[3]
    last = [u for u in plan.last_units(study, options, tmp_path) if u.model == "convolution"]
    assert sum(u.seconds for u in choice + last) == pytest.approx(60 * options.jobs)


def test_a_mean_with_a_diverged_training_comes_last(tmp_path):
    study, options = regression.STUDY, StudyOptions(seeds=2, split="uniform")
    values = [(0.1, math.nan), (20.0, 20.0)]
    _, second, *_ = choose(study, options, tmp_path, "coordconv", values)
    assert plan.best_setting(study, "coordconv", "uniform", tmp_path) == second.setting


def test_no_choice_looks_at_the_test_part(tmp_path):
    study, options = classification.STUDY, StudyOptions(seeds=1, split="quadrant")
    first = choose(study, options, tmp_path, "coordconv", [(0.5,), (0.4,), (0.3,)])
    others = [dataclasses.replace(u, judged="test") for u in first]
    for unit, accuracy in zip(others, (0.1, 0.2, 0.9), strict=True):
        leave_result(tmp_path, unit, accuracy)
    assert plan.best_setting(study, "coordconv", "quadrant", tmp_path) == first[0].setting


def test_a_single_setting_needs_no_choice(tmp_path):
    study, options = translation.STUDY, StudyOptions(seeds=2)
    assert plan.first_units(study, options) == []
    assert plan.second_units(study, options, tmp_path) == []
    last = plan.last_units(study, options, tmp_path)
    assert len(last) == 3 * 2 * 2  # models, splits, seeds


def test_a_budget_is_refused_where_all_models_take_the_same_steps():
    study = dataclasses.replace(translation.STUDY, budget=None)
    unit = plan.last_units(study, StudyOptions(seeds=1), None)[0]
    assert unit.seconds == math.inf
    with pytest.raises(InputError, match="budget 3: in translation all models"):
        plan.last_units(study, StudyOptions(budget=3), None)


def test_a_result_of_an_older_version_is_known_by_the_settings_that_it_names(tmp_path):
    study, options = regression.STUDY, StudyOptions(seeds=1, split="uniform")
    unit = plan.first_units(study, options)[0]
    leave_result(tmp_path, unit, 0.5)
    older = plan.find_result(tmp_path, unit)
    del older.setting["l2_epochs"]  # the penalty counted from the first step on
    older.write(tmp_path / unit.path)
    assert plan.find_result(tmp_path, unit).test == 0.5
    waits = dataclasses.replace(unit, setting=dataclasses.replace(unit.setting, l2_epochs=3))
    with pytest.raises(InputError, match="was trained with other settings, by another version"):
        plan.find_result(tmp_path, waits)
