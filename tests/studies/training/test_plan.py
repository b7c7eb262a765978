from __future__ import annotations

import dataclasses
import math

import pytest
from small_study import finished

from coordconv_rl.studies import StudyOptions
from coordconv_rl.studies.report.results import collect, table
from coordconv_rl.studies.tasks import coordinate_classification as classification
from coordconv_rl.studies.training import plan


@pytest.mark.parametrize(("model", "others"), [("convolution", [1, 2]), ("shuffled", [1])])
def test_the_best_of_several_settings_gets_the_other_seeds(tmp_path, model, others):
    study, options = classification.STUDY, StudyOptions(seeds=3, split="uniform", budget=1)
    first = [u for u in plan.first_units(study, options) if u.model == model]
    assert [u.seed for u in first] == [0, 0]
    for wanted, accuracy in zip(first, (0.1, 0.2), strict=True):
        result = finished(wanted.path, accuracy, 1.0)
        result.setting = dataclasses.asdict(wanted.setting)
        (tmp_path / wanted.path).mkdir(parents=True)
        result.write(tmp_path / wanted.path)
    last = plan.last_units(study, options, tmp_path)  # two seeds at most for the control
    assert [u.seed for u in last] == others
    assert {u.setting for u in last} == {first[1].setting}
    spent = 60 * options.jobs if model == "convolution" else math.inf
    assert sum(u.seconds for u in first + last) == pytest.approx(spent)
    (shown,) = collect(study, options, tmp_path)
    assert (shown.setting, shown.tried) == (first[1].setting, 2)
    assert "best of 2" in table(study, [shown])[1][0]
