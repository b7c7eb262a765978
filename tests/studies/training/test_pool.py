"""Trainings in processes of their own: nothing twice, and failures are told and counted."""

from __future__ import annotations

import dataclasses
import math

from small_study import finished

from coordconv_rl.studies.tasks.study import Setting
from coordconv_rl.studies.training.plan import Unit
from coordconv_rl.studies.training.pool import train_all


class Log:
    """Writes down what it is told."""

    def __init__(self):
        self.told = []

    def started(self, units):
        self.told.append(("started", units))

    def waiting(self, units):
        pass

    def finished(self, unit, result):
        self.told.append(("finished", unit.path, result.status))

    def failed(self, unit, reason):
        self.told.append(("failed", unit.path, reason))


SETTING = Setting(0.001, batch=16, epochs=1)


def unit(study="translation", seconds=math.inf):
    return Unit(study, "quadrant", "convolution", SETTING, 0, seconds)


def test_what_is_complete_needs_no_process(tmp_path):
    done = unit()
    result = finished(done.path, 0.5, 1.0)
    result.setting = dataclasses.asdict(SETTING)
    (tmp_path / done.path).mkdir(parents=True)
    result.write(tmp_path / done.path)
    log = Log()
    assert train_all([done], tmp_path, 2, log) == []
    assert log.told == [("started", 0)]


def test_one_failure_does_not_stop_the_others(tmp_path):
    log = Log()
    bad, good = unit("no-such-study"), unit(seconds=1e-6)
    bad = dataclasses.replace(bad, setting=dataclasses.replace(SETTING, width=2))
    assert train_all([bad, good], tmp_path, 2, log) == [bad]
    kinds = {entry[0]: entry[1:] for entry in log.told}
    assert kinds["started"] == (2,)
    assert kinds["failed"][0] == bad.path
    assert "ModuleNotFoundError" in kinds["failed"][1]
    assert kinds["finished"] == (good.path, "budget")
    assert (tmp_path / good.path / "result.json").exists()
