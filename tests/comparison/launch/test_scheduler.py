"""Which runs start, end, hang, are tried again: real processes, real signals, real kills."""

from __future__ import annotations

import os
import signal

import pytest
from light_worker import RUNS, attempts, entry, experiment, launcher, run_experiment, start
from waiting import LIMIT, is_alive

from coordconv_rl.comparison import plan
from coordconv_rl.comparison.launch import ledger
from coordconv_rl.comparison.launch.scheduler import Scheduler
from coordconv_rl.locks import LockedError

BROKEN = {
    "kill": "SIGKILL",
    "memory": "MemoryError",
    "nan": "Diverged",
    "vanish": "without its results",
}


def test_broken_runs_are_tried_again_and_then_reported(folder, capsys):
    """Of each kind one run that breaks once, and one that breaks whenever it is tried."""
    once = {act: f"ppo/Pong/cnn/seed-{seed}" for seed, act in enumerate(BROKEN)}
    always = {act: f"ppo/Pong/coordconv/seed-{seed}" for seed, act in enumerate(BROKEN)}
    acts = {run: {"1": act} for act, run in once.items()}
    acts |= {run: dict.fromkeys("123", act) for act, run in always.items()}
    asked = experiment(seeds=(0, 1, 2, 3, 4))
    assert run_experiment(asked, folder, acts) == 1
    out = capsys.readouterr().out
    assert "4 of 10 runs are not done" in out
    assert "n = 1 of 5" in out
    for act, reason in BROKEN.items():
        mended, failed = entry(folder, once[act]), entry(folder, always[act])
        assert (mended.status, mended.attempts) == ("done", 2)
        assert (failed.status, failed.attempts) == ("failed", 3)
        assert reason in failed.reason
        assert f"{failed.run} failed: {failed.reason}" in out
    others = [f"ppo/Pong/{arm}/seed-4" for arm in ("cnn", "coordconv")]
    assert [entry(folder, run).status for run in others] == ["done", "done"]


def test_a_failed_run_gets_another_chance_when_called_again(folder):
    assert start(folder, {RUNS[0]: {"1": "kill"}}, retries=0) == 1
    assert entry(folder, RUNS[0]).status == "failed"
    assert start(folder) == 0
    assert attempts(folder, RUNS[0]) == 2


def test_a_retry_goes_on_from_the_checkpoint(folder):
    assert start(folder, {RUNS[0]: {"1": "kill"}}) == 0
    steps = [line.split(",")[0] for line in (folder / RUNS[0] / "episodes.csv").open()]
    assert steps[1:] == ["60", "70", "80", "90", "100"]  # the second attempt began at 50


def test_hanging_runs_are_killed_and_tried_again(folder):
    acts = {RUNS[0]: {"1": "hang"}, RUNS[1]: {"1": "stop"}}
    assert start(folder, acts, hang_minutes=2 / 60) == 0
    assert [entry(folder, run).attempts for run in RUNS] == [2, 2, 1, 1]


def test_bad_input_is_not_tried_again(folder, capsys):
    assert start(folder, {RUNS[0]: {"1": "input"}}) == 1
    assert "1 of 4 runs is not done" in capsys.readouterr().out
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


def test_a_signal_saves_every_run_long_before_its_end(folder, tmp_path):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # one launcher goes on another's
        process = launcher(folder, tmp_path / "said")
        before = [int((folder / run / "checkpoint").read_text()) for run in RUNS[:2]]
        os.kill(process.pid, number)
        process.join(LIMIT)
        assert process.exitcode == 130
        assert "To go on" in (tmp_path / "said").read_text()
        for run, step in zip(RUNS, before, strict=False):
            assert step <= int((folder / run / "checkpoint").read_text()) < 100
            assert entry(folder, run).status == "waiting"
            assert "stopped at step" in entry(folder, run).reason
            assert not is_alive(entry(folder, run).pid)
    assert start(folder) == 0
    assert [attempts(folder, run) for run in RUNS] == [4, 4, 1, 1]


def test_a_killed_launcher_leaves_no_lock_and_no_worker(folder, tmp_path):
    process = launcher(folder, tmp_path / "said")
    pids = [entry(folder, run).pid for run in RUNS[:2]]
    process.kill()
    process.join(LIMIT)
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
