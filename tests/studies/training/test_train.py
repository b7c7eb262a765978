"""Trainings that stop, go on and are refused."""

from __future__ import annotations

import dataclasses
import math

import safetensors.torch
from small_study import SETTING, SMALL, never, stop_after, unit

from coordconv_rl.studies.report.results import show
from coordconv_rl.studies.tasks import coordinate_regression
from coordconv_rl.studies.tasks.data import at_positions
from coordconv_rl.studies.tasks.study import Setting
from coordconv_rl.studies.training import supervised
from coordconv_rl.studies.training.records import Result
from coordconv_rl.studies.training.train import train_unit


def weights(folder):
    return safetensors.torch.load_file(folder / "checkpoint.safetensors")


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


def test_a_training_that_diverges_ends_there_and_is_shown_as_such(tmp_path):
    wild = unit(setting=Setting(1e30, epochs=4))
    first = train_unit(wild, SMALL, tmp_path, never)
    assert first.status == "diverged"
    assert first.steps < 4 * 5
    read = Result.read(tmp_path)
    assert math.isnan(read.test)
    assert "NaN" not in (tmp_path / "result.json").read_text()
    assert read.is_complete(math.inf)
    assert train_unit(wild, SMALL, tmp_path, never).steps == first.steps
    assert show(SMALL.measure, [0.1, read.test]) == "1 of 2 diverged"
    assert show(SMALL.measure, [0.1, 0.3]) == "0.200 px ± 0.141"


def test_a_checkpoint_of_an_older_version_goes_on(tmp_path, monkeypatch):
    def without(values):
        return {key: value for key, value in values.items() if key != "l2_epochs"}

    wanted = unit(setting=dataclasses.replace(SETTING, l2_epochs=0))
    with monkeypatch.context() as older:
        older.setattr(supervised, "asdict", lambda setting: without(dataclasses.asdict(setting)))
        train_unit(wanted, SMALL, tmp_path, stop_after(3))
        assert b"l2_epochs" not in (tmp_path / "checkpoint.safetensors").read_bytes()
    assert train_unit(wanted, SMALL, tmp_path, never).steps == 20
    assert Result.read(tmp_path).setting == dataclasses.asdict(wanted.setting)


def test_nothing_is_trained_again(tmp_path):
    first = train_unit(unit(), SMALL, tmp_path, never)
    second = train_unit(unit(), SMALL, tmp_path, never)
    assert second.is_complete(math.inf)
    assert (second.steps, second.seconds, second.test) == (first.steps, first.seconds, first.test)


def test_coordinates_learn_where_shuffled_ones_do_not(tmp_path):
    study = dataclasses.replace(
        coordinate_regression.STUDY,
        data=at_positions(lambda p, s: coordinate_regression.data(p[::4], s)),
    )
    setting = Setting(0.004, l2=1e-5, epochs=5, step_epochs=4)
    errors = {
        model: train_unit(unit(model, setting=setting), study, tmp_path / model, never).test
        for model in ("coordconv", "shuffled")
    }
    assert errors["coordconv"] < 2.0  # pixels, on the quadrant that it never saw
    assert errors["shuffled"] > 5.0
