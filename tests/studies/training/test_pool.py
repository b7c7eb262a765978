"""Trainings in processes of their own: nothing twice, and failures are told and counted."""

from __future__ import annotations

import dataclasses
import math
import multiprocessing
import os
import signal
import time

import forked
import pytest
from small_study import finished
from waiting import LIMIT, is_alive, wait_for

from coordconv_rl.files import write_text_atomic
from coordconv_rl.studies.tasks.study import Setting
from coordconv_rl.studies.training.plan import Unit
from coordconv_rl.studies.training.pool import Trainers


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
    with Trainers(tmp_path, 2, log) as trainers:
        assert trainers.train([done]) == []
    assert log.told == [("started", 0)]


def test_one_failure_does_not_stop_the_others_and_their_process_goes_on(tmp_path):
    log, before = Log(), set(multiprocessing.active_children())
    bad, good = unit("no-such-study"), unit(seconds=1e-6)
    bad = dataclasses.replace(bad, setting=dataclasses.replace(SETTING, width=2))
    other = dataclasses.replace(good, seed=1)
    with Trainers(tmp_path, 1, log) as trainers:
        assert trainers.train([bad, good]) == [bad]
        (process,) = set(multiprocessing.active_children()) - before
        kinds = {entry[0]: entry[1:] for entry in log.told}
        assert kinds["started"] == (2,)
        assert kinds["failed"][0] == bad.path
        assert "ModuleNotFoundError" in kinds["failed"][1]
        assert kinds["finished"] == (good.path, "budget")
        assert (tmp_path / good.path / "result.json").exists()
        assert trainers.train([good, other]) == []
        assert set(multiprocessing.active_children()) - before == {process}
        assert log.told[-1] == ("finished", other.path, "budget")
        process.kill()
        wait_for(lambda: trainers._executor._broken)
        assert trainers.train([dataclasses.replace(good, seed=2)]) == []  # in a new process
    assert set(multiprocessing.active_children()) <= before


def begin_and_wait(folder, said):
    """Train a unit, name the process that did, and keep it; for a process of its own."""
    with Trainers(folder, 1, Log()) as trainers:
        trainers.train([unit(seconds=1e-6)])
        (process,) = multiprocessing.active_children()
        write_text_atomic(said, str(process.pid))
        time.sleep(LIMIT)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_who_started_it(tmp_path, number):
    said = tmp_path / "pid"
    process = forked.call(begin_and_wait, tmp_path, said, folder=tmp_path)
    wait_for(said.is_file, while_alive=process.is_alive)
    os.kill(process.pid, number)
    process.join(LIMIT)
    wait_for(lambda: not is_alive(int(said.read_text())))
