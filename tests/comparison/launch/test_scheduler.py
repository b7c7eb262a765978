"""Which runs start, end, hang, are tried again: real processes, real signals, real kills."""

from __future__ import annotations

import signal

import pytest
from light_worker import RUNS, attempts, entry, experiment, launcher, start
from waiting import LIMIT, is_alive

from coordconv_rl.comparison import plan
from coordconv_rl.comparison.launch import ledger
from coordconv_rl.comparison.launch.scheduler import Scheduler
from coordconv_rl.locks import LockedError


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        ("kill", "SIGKILL"),
        ("memory", "MemoryError"),
        ("nan", "Diverged"),
        ("vanish", "without its results"),
    ],
)
def test_a_broken_run_is_tried_again_and_then_reported(folder, capsys, act, reason):
    assert start(folder, {RUNS[1]: {"1": act}, RUNS[2]: dict.fromkeys("123", act)}) == 1
    assert (entry(folder, RUNS[1]).status, entry(folder, RUNS[1]).attempts) == ("done", 2)
    failed = entry(folder, RUNS[2])
    assert (failed.status, failed.attempts) == ("failed", 3)
    assert reason in failed.reason
    out = capsys.readouterr().out
    assert "1 of 4 runs is not done" in out
    assert "n = 1 of 2" in out
    assert reason in out
    assert [entry(folder, run).status for run in (RUNS[0], RUNS[3])] == ["done", "done"]


def test_a_failed_run_gets_another_chance_when_called_again(folder):
    assert start(folder, {RUNS[0]: {"1": "kill"}}, retries=0) == 1
    assert entry(folder, RUNS[0]).status == "failed"
    assert start(folder) == 0
    assert attempts(folder, RUNS[0]) == 2


def test_a_retry_goes_on_from_the_checkpoint(folder):
    assert start(folder, {RUNS[0]: {"1": "kill"}}) == 0
    steps = [line.split(",")[0] for line in (folder / RUNS[0] / "episodes.csv").open()]
    assert steps[1:] == ["60", "70", "80", "90", "100"]  # the second attempt began at 50


@pytest.mark.parametrize("act", ["hang", "stop"])
def test_a_hanging_run_is_killed_and_tried_again(folder, act):
    assert start(folder, {RUNS[0]: {"1": act}}, hang_minutes=2 / 60) == 0
    assert entry(folder, RUNS[0]).attempts == 2


def test_bad_input_is_not_tried_again(folder):
    assert start(folder, {RUNS[0]: {"1": "input"}}) == 1
    assert (entry(folder, RUNS[0]).status, entry(folder, RUNS[0]).attempts) == ("failed", 1)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_full_disk_stops_the_experiment_and_it_goes_on_later(folder, capsys, jobs):
    assert start(folder, {run: {"1": "full"} for run in RUNS[:jobs]}, jobs=jobs) == 1
    said = capsys.readouterr().out
    assert "No space left on device" in said
    assert said.count("Stopping: ") == 1
    assert [entry(folder, run).status for run in RUNS] == ["waiting"] * 4
    assert attempts(folder, RUNS[0]) == 1
    assert not (folder / RUNS[jobs]).exists()
    assert start(folder) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_saves_every_run_long_before_its_end(folder, number):
    process = launcher(folder)
    process.send_signal(number)
    out, _ = process.communicate(timeout=LIMIT)
    assert process.returncode == 130
    assert "To go on" in out
    for run in RUNS[:2]:
        assert int((folder / run / "checkpoint").read_text()) > 0
        assert entry(folder, run).status == "waiting"
        assert "stopped at step" in entry(folder, run).reason
        assert not is_alive(entry(folder, run).pid)
    assert start(folder) == 0
    assert [attempts(folder, run) for run in RUNS] == [2, 2, 1, 1]


def test_a_killed_launcher_leaves_no_lock_and_no_worker(folder):
    process = launcher(folder)
    pids = [entry(folder, run).pid for run in RUNS[:2]]
    process.kill()
    process.communicate(timeout=LIMIT)
    assert [entry(folder, run).status for run in RUNS[:2]] == ["running", "running"]
    with ledger.Ledger(folder, RUNS) as held:
        assert held.lost == tuple(RUNS[:2])
        assert entry(folder, RUNS[0]).status == "lost"
    assert start(folder) == 0  # waits for the workers of the dead launcher, then goes on
    assert not any(map(is_alive, pids))
    assert [entry(folder, run).status for run in RUNS] == ["done"] * 4
    assert [attempts(folder, run) for run in RUNS] == [2, 2, 1, 1]


class Locked:
    """A worker whose folder another process holds, as Ray and SLURM hear of it late."""

    host, pid = "node", 1

    def stop(self):
        self.is_stopped = True

    kill = stop

    def poll(self):
        if hasattr(self, "is_stopped"):
            raise LockedError("somebody")


class Backend:
    """Starts such workers."""

    def start(self, folder, config):
        return Locked()


def test_stopping_passes_over_a_run_that_another_process_holds(folder):
    configs = plan.expand(experiment())
    with ledger.Ledger(folder, [config.run_id for config in configs]) as held:
        scheduler = Scheduler(
            folder, configs, held, Backend(), jobs=2, retries=0, hang_seconds=60.0
        )
        scheduler.tick()
        scheduler.stop_all("Ctrl-C")
        assert not scheduler.active
    assert [entry(folder, run).status for run in RUNS] == ["waiting"] * 4
