"""Trainings of the studies that stop, go on and are refused; their plan and their ratios."""

from __future__ import annotations

import dataclasses
import math

import pytest
import safetensors.torch

from coordconv_rl.errors import InputError
from coordconv_rl.studies import StudyOptions
from coordconv_rl.studies.report.results import Ratio, Row, collect, ratios, table
from coordconv_rl.studies.tasks import coordinate_classification as classification
from coordconv_rl.studies.tasks import coordinate_regression
from coordconv_rl.studies.tasks.study import Setting
from coordconv_rl.studies.training import plan
from coordconv_rl.studies.training.plan import Unit
from coordconv_rl.studies.training.records import Point, Result
from coordconv_rl.studies.training.train import train_unit


def few_positions(positions, seed):
    return coordinate_regression.data(positions[::30], seed)


SMALL = dataclasses.replace(coordinate_regression.STUDY, data=few_positions)
SETTING = Setting(0.01, l2=1e-5, epochs=4, step_epochs=3)


def unit(model="coordconv", seconds=math.inf, setting=SETTING, seed=0):
    return Unit("coordinate-regression", "quadrant", model, setting, seed, seconds)


def stop_after(steps):
    asked = iter(range(steps))
    return lambda: next(asked, None) is None


def weights(folder):
    return safetensors.torch.load_file(folder / "checkpoint.safetensors")


def never():
    return False


def test_interrupted_training_goes_on_to_the_same_weights(tmp_path):
    whole = train_unit(unit(), SMALL, tmp_path / "whole", never)
    part = train_unit(unit(), SMALL, tmp_path / "parts", stop_after(7))
    assert (part.status, part.steps) == ("interrupted", 7)
    rest = train_unit(unit(), SMALL, tmp_path / "parts", never)
    assert (whole.status, rest.status) == ("done", "done")
    assert whole.steps == rest.steps == 4 * 5  # 79 positions in minibatches of 16
    ours, theirs = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert ours.keys() == theirs.keys()
    assert all(ours[name].equal(theirs[name]) for name in ours)
    assert rest.test == whole.test
    assert rest.machine["precision"] == "float32"  # bfloat16 is too coarse for parts of a pixel
    assert Result.read(tmp_path / "parts").test == whole.test


def test_baseline_with_batch_statistics_goes_on_to_the_same_weights(tmp_path):
    setting = Setting(0.001, epochs=2)
    wanted = unit("convolution", setting=setting)
    train_unit(wanted, SMALL, tmp_path / "whole", never)
    train_unit(wanted, SMALL, tmp_path / "parts", stop_after(3))
    train_unit(wanted, SMALL, tmp_path / "parts", never)
    ours, theirs = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert any("running_mean" in name for name in ours)
    assert all(ours[name].equal(theirs[name]) for name in ours)


def test_a_training_stops_at_its_budget_and_goes_on_with_more(tmp_path):
    first = train_unit(unit(seconds=1e-6), SMALL, tmp_path, never)
    assert (first.status, first.steps) == ("budget", 1)
    assert first.test is not None
    assert first.is_complete(1e-6)
    assert not first.is_complete(1.0)
    assert train_unit(unit(), SMALL, tmp_path, never).steps == 20


def test_nothing_is_trained_again(tmp_path):
    first = train_unit(unit(), SMALL, tmp_path, never)
    second = train_unit(unit(), SMALL, tmp_path, never)
    assert second.is_complete(math.inf)
    assert (second.steps, second.seconds, second.test) == (first.steps, first.seconds, first.test)


def test_coordinates_learn_where_shuffled_ones_do_not(tmp_path):
    study = dataclasses.replace(
        coordinate_regression.STUDY, data=lambda p, s: coordinate_regression.data(p[::4], s)
    )
    setting = Setting(0.004, l2=1e-5, epochs=5, step_epochs=4)
    errors = {
        model: train_unit(unit(model, setting=setting), study, tmp_path / model, never).test
        for model in ("coordconv", "shuffled")
    }
    assert errors["coordconv"] < 2.0  # pixels, on the quadrant that it never saw
    assert errors["shuffled"] > 5.0


@pytest.mark.parametrize("damage", ["truncated", "foreign", "setting"])
def test_a_bad_checkpoint_is_refused_in_one_line(tmp_path, damage):
    train_unit(unit(), SMALL, tmp_path, stop_after(1))
    path = tmp_path / "checkpoint.safetensors"
    wanted = unit()
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:100])
    elif damage == "foreign":
        wanted = unit(seed=1)
    else:
        wanted = unit(setting=dataclasses.replace(SETTING, epochs=9))
    with pytest.raises(InputError, match=r"checkpoint\.safetensors") as caught:
        train_unit(wanted, SMALL, tmp_path, never)
    assert "\n" not in str(caught.value)
    assert "delete" in str(caught.value)


def test_a_bad_result_is_refused_in_one_line(tmp_path):
    (tmp_path / "result.json").write_text('{"format": 1}')
    with pytest.raises(InputError, match="delete its folder"):
        Result.read(tmp_path)


def finished(path, test, seconds, parameters=100):
    point = Point(seconds=seconds, step=1, epoch=1.0, loss=0.0, train=test, test=test)
    result = Result(path, {}, 0, parameters, status="done", seconds=10 * seconds)
    result.add(point, coordinate_regression.STUDY.measure)
    return result


def row(model, tests, seconds, parameters):
    results = tuple(finished(model, test, seconds, parameters) for test in tests)
    return Row("uniform", model, SETTING, 1, results, len(tests))


def test_ratios_of_time_and_parameters():
    rows = [row("coordconv", [0.1, 0.3], 2.0, 50), row("convolution", [0.2, 0.6], 8.0, 1000)]
    expected = Ratio("uniform", time=4.0, budget=40.0, parameters=20.0, reached=True)
    assert ratios(coordinate_regression.STUDY, rows) == [expected]
    assert expected.show_time() == "4.0"


def test_ratio_says_not_reached():
    rows = [row("coordconv", [0.1], 2.0, 50), row("convolution", [0.2, 0.6], 8.0, 1000)]
    (ratio,) = ratios(coordinate_regression.STUDY, rows)
    assert not ratio.reached
    assert ratio.show_time().startswith("not reached within 40.0")


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


def test_the_control_may_have_the_authors_l2():
    (ours,) = classification.settings("coordconv", "quadrant", False)
    same, mild = classification.settings("shuffled", "quadrant", False)
    assert same == ours
    assert mild == dataclasses.replace(ours, l2=0.001)
