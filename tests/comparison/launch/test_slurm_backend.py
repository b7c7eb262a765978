"""The SLURM backend with submitit's local executor: jobs that are processes on this machine."""

from __future__ import annotations

import os
import signal
import sys
import threading

import pytest
from hostile import make_hostile
from light_worker import HERE, RUNS, attempts, entry, run_experiment
from light_worker import experiment as light
from waiting import wait_for

from coordconv_rl.comparison import plan
from coordconv_rl.comparison.launch import compare as launch
from coordconv_rl.comparison.launch.compare import slurm_options
from coordconv_rl.errors import INTERRUPTED, MACHINE_LOST, InputError
from coordconv_rl.locks import acquire
from coordconv_rl.runs import RUN_LOCK, prepare_run, read_record

submitit = pytest.importorskip("submitit", reason="the extra `slurm` is not installed")
from coordconv_rl.comparison.launch.slurm_backend import (  # noqa: E402
    JOBS_FOLDER,
    RunJob,
    SlurmBackend,
    SlurmWorker,
)


@pytest.fixture
def backend(folder, monkeypatch):
    """A backend whose jobs run light workers here."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), *sys.path]))
    program = (sys.executable, str(folder.parent / "worker.py"))
    return SlurmBackend(folder, program=program, cluster="local")


def test_a_comparison_ends_as_on_this_machine_and_lost_jobs_are_tried_again(
    folder, backend, monkeypatch
):
    monkeypatch.setattr(launch, "_backend", lambda options, folder, code: backend)
    asked = light(seeds=(0,))
    assert run_experiment(asked, folder, {RUNS[0]: {"1": "kill"}}, backend="slurm") == 0
    assert [attempts(folder, run) for run in RUNS[:2]] == [2, 1]
    assert entry(folder, RUNS[0]).status == "done"
    assert len(list((folder / JOBS_FOLDER).glob("*_submitted.pkl"))) == 3


SBATCH = """#!/bin/sh
export SLURM_JOB_ID=7 SLURM_NTASKS=1 SLURM_JOB_NUM_NODES=1
export SLURM_NODEID=0 SLURM_PROCID=0 SLURM_LOCALID=0
(bash "$1"; touch ended) > said.txt 2>&1 &
echo Submitted batch job 7
"""
SRUN = """#!/bin/sh
while case "$1" in --unbuffered) :;; --*) shift;; *) false;; esac; do shift; done
exec "$@"
"""


def test_a_job_imports_nothing_from_the_working_folder(folder, monkeypatch):
    """What submitit gives to `sbatch` is run, in the working folder, as SLURM does."""
    bin_folder = folder.parent / "bin"
    bin_folder.mkdir()
    for name, text in {"sbatch": SBATCH, "srun": SRUN}.items():
        (bin_folder / name).write_text(text)
        (bin_folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_folder}:{os.environ['PATH']}")
    here = make_hostile(folder.parent / "work")
    monkeypatch.chdir(here)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    backend = SlurmBackend(folder, program=(sys.executable, str(folder.parent / "worker.py")))
    config, worker = started(folder, backend, 0)
    wait_for((here / "ended").exists)
    assert worker.poll() == 0, (here / "said.txt").read_text()
    assert read_record(folder / config.run_id)["status"] == "done"


def started(folder, backend, pace):
    (folder / "plan.json").write_text(f'{{"pace": {pace}}}')
    config = plan.expand(light())[0]
    prepare_run(folder / config.run_id, config)
    return config, backend.start(folder / config.run_id, config)


def test_a_job_that_is_asked_to_stop_saves_and_says_where_it_was(folder, backend):
    config, worker = started(folder, backend, 0.5)
    wait_for(lambda: worker.poll() is None and worker.pid and read_record(folder / config.run_id))
    assert worker.host == os.uname().nodename
    worker.stop()
    wait_for(lambda: worker.poll() is not None)
    assert worker.poll() == INTERRUPTED
    assert read_record(folder / config.run_id)["status"] == "interrupted"


def test_a_killed_job_is_told_apart_from_one_that_ended(folder, backend):
    _, worker = started(folder, backend, 0.5)
    wait_for(lambda: worker.poll() is None and worker.pid)
    pid = worker.pid
    worker.kill()
    assert worker.poll() == -signal.SIGKILL
    wait_for(lambda: not os.path.exists(f"/proc/{pid}") or "Z" in state(pid))


def state(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


def test_before_its_time_is_up_a_job_saves_and_goes_back_into_the_queue(folder, monkeypatch):
    monkeypatch.setenv("SUBMITIT_LOCAL_JOB_ID", "7")
    monkeypatch.setenv("SUBMITIT_EXECUTOR", "local")
    (folder / "plan.json").write_text('{"pace": 0.5}')
    config = plan.expand(light())[0]
    run, jobs = folder / config.run_id, folder / JOBS_FOLDER
    jobs.mkdir()
    prepare_run(run, config)
    job, program = RunJob(), (sys.executable, str(folder.parent / "worker.py"))
    arguments = (run, 1, program, jobs)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    ended = []
    thread = threading.Thread(target=lambda: ended.append(job(*arguments)))
    thread.start()
    wait_for(lambda: (jobs / "7.running").is_file() and read_record(run))
    again = job.checkpoint(*arguments)
    thread.join()
    assert not (jobs / "7.running").exists()
    assert ended[0].code == INTERRUPTED
    assert int((run / "checkpoint").read_text()) > 0
    assert again.args == arguments
    assert isinstance(again.function, RunJob)


def test_a_run_that_somebody_works_on_is_named(folder):
    config = plan.expand(light())[0]
    prepare_run(folder / config.run_id, config)
    lock = acquire(folder / config.run_id / RUN_LOCK, "somebody")
    end = RunJob()(folder / config.run_id, 1, None, folder)
    os.close(lock)
    assert (end.code, end.locked) == (None, "somebody")


@pytest.mark.parametrize(
    ("squeue", "polled"),
    [
        ("echo 'Invalid job id specified' >&2; exit 1", [None, None, MACHINE_LOST]),
        ("exit 0", [None, None, MACHINE_LOST]),
        # The controller does not answer: nobody knows whether the job goes on.
        (
            "echo 'slurm_load_jobs error: Unable to contact' >&2; exit 1",
            [None] * 3,
        ),
    ],
)
def test_a_job_that_slurm_no_longer_knows_and_that_left_no_result_is_lost(
    folder, monkeypatch, squeue, polled
):
    bin_folder = folder.parent / "bin"
    bin_folder.mkdir()
    (bin_folder / "squeue").write_text(f"#!/bin/sh\n{squeue}\n")
    (bin_folder / "squeue").chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_folder}:{os.environ['PATH']}")
    monkeypatch.setattr("coordconv_rl.comparison.launch.slurm_backend.SQUEUE_SECONDS", 0.0)
    job = submitit.SlurmJob(folder=folder / JOBS_FOLDER, job_id="7")
    worker = SlurmWorker(job, folder / JOBS_FOLDER)
    assert [worker.poll() for _ in range(3)] == polled


def test_options_are_sbatchs_and_nonsense_is_refused(folder, monkeypatch):
    monkeypatch.setenv("PATH", str(folder))  # where no SLURM is
    assert slurm_options(["partition=gpu", "time=60"]) == {"partition": "gpu", "time": "60"}
    with pytest.raises(InputError, match="write NAME=VALUE"):
        slurm_options(["partition"])
    with pytest.raises(InputError, match="SLURM cannot be used"):
        SlurmBackend(folder)
    with pytest.raises(InputError, match="needs the slurm backend"):
        run_experiment(light(), folder, slurm=("partition=gpu",))
