from __future__ import annotations

import dataclasses

from small_study import row

from coordconv_rl.studies import StudyOptions
from coordconv_rl.studies.report.results import cautions, collect, show, table
from coordconv_rl.studies.tasks import coordinate_regression, translation
from coordconv_rl.studies.training.records import Point, Result


def test_a_study_without_a_goal_has_no_such_column():
    without = dataclasses.replace(coordinate_regression.STUDY.measure, goal=None)
    study = dataclasses.replace(coordinate_regression.STUDY, measure=without)
    head, (line,) = table(study, [row("coordconv", [0.1], 2.0, 50)])
    assert not any(cell.startswith("goal") for cell in head)
    assert len(head) == len(line)


def leave(root, seed, status, seconds=3.0):
    """Leave a seed of a study with one setting, in the state that its end or its kill left."""
    (setting,) = translation.STUDY.settings("convolution", "uniform", False)
    name = f"uniform/convolution/{setting.name}/seed-{seed}"
    made = Result(name, dataclasses.asdict(setting), seed, 50, status=status, seconds=seconds)
    made.add(Point(seconds, 1, 1.0, 0.0, 0.5, 0.5), translation.STUDY.measure)
    (root / name).mkdir(parents=True, exist_ok=True)
    made.write(root / name)


def test_trainings_that_were_killed_or_stopped_are_missing(tmp_path):
    for seed, status in enumerate(("done", "running", "interrupted")):
        leave(tmp_path, seed, status)
    (found,) = collect(translation.STUDY, StudyOptions(seeds=3, split="uniform"), tmp_path)
    assert [result.seed for result in found.results] == [0]
    assert found.wanted == 3


def test_a_diverged_training_has_no_mean_whatever_it_was_judged_as(tmp_path):
    for seed, status in enumerate(("done", "diverged")):  # 0.5, as two classes are by nothing
        leave(tmp_path, seed, status)
    (found,) = collect(translation.STUDY, StudyOptions(seeds=2, split="uniform"), tmp_path)
    assert show(translation.STUDY.measure, found.test) == "1 of 2 diverged"


def test_seeds_with_unequal_budgets_are_named(tmp_path):
    options = StudyOptions(seeds=2, split="uniform")
    for seed, seconds in enumerate((44.0, 45.0)):
        leave(tmp_path, seed, "budget", seconds)
    assert cautions(collect(translation.STUDY, options, tmp_path)) == []
    leave(tmp_path, 1, "budget", 360.0)
    (said,) = cautions(collect(translation.STUDY, options, tmp_path))
    assert said.startswith("uniform convolution: its seeds trained for 44 to 360 s, by calls with")
