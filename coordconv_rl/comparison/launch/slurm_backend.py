"""One SLURM job a run, by submitit (extra `slurm`).

The job starts the same process that the local backend starts, so checkpoints, retries and results
are the same. Before its time is up, or when it is preempted, the run saves a checkpoint and the
job goes back into the queue. The experiment's folder must lie on storage that every node mounts
at the same path, and the package must be installed there. In the folder's `submitit`, each job
that runs has a file that says where.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Literal, NamedTuple

import submitit
from submitit.core.utils import UncompletedJobError
from submitit.helpers import DelayedSubmission

from coordconv_rl import processes
from coordconv_rl.comparison.launch.local import Process
from coordconv_rl.configs import RunConfig
from coordconv_rl.errors import INTERRUPTED, MACHINE_LOST, InputError
from coordconv_rl.files import write_text_atomic
from coordconv_rl.locks import LockedError

JOBS_FOLDER = "submitit"
MOST_JOBS = 100  # in the queue at a time, unless --jobs says so: SLURM knows how many have room
MINUTES = 24 * 60  # of a job, unless --slurm timeout_min=N says so; longer runs queue up again
MOST_REQUEUES = 1_000
JOB_POLL_SECONDS = 0.2
SQUEUE_SECONDS = 30.0  # between two questions to SLURM about a job
UNKNOWN_JOB = "Invalid job id"  # what squeue says of a job that SLURM has forgotten
MISSED = 3  # times in a row that squeue does not know a job, until it counts as lost
SAVE_SECONDS = 60.0  # for a checkpoint, before the process is killed


class JobEnd(NamedTuple):
    """What a job returns: its process's exit code, or who kept it from starting."""

    code: int | None
    locked: str | None = None


class RunJob:
    """What a job does on its node: it starts the run's process and waits for it."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self._place: Path | None = None

    def __call__(
        self,
        folder: Path,
        threads: int,
        program: tuple[str, ...] | None,
        jobs: Path,
        code: Path | None = None,
    ) -> JobEnd:
        """Start the process, say where it is, and wait; SIGINT makes it save and end."""
        try:
            process = Process(folder, threads, program, code)
        except LockedError as error:
            return JobEnd(None, str(error))

        def stop(number: int, frame: FrameType | None) -> None:
            process.stop()

        signal.signal(signal.SIGINT, stop)
        self._process = process
        self._place = jobs / f"{submitit.JobEnvironment().job_id}.running"
        write_text_atomic(self._place, f"{process.pid} {process.host}")
        while (end := process.poll()) is None:
            time.sleep(JOB_POLL_SECONDS)
        return JobEnd(end)

    def checkpoint(self, *arguments: Any) -> DelayedSubmission:
        """Save and end before the job is taken away, and say how it goes on; submitit calls it."""
        deadline = time.monotonic() + SAVE_SECONDS
        if self._process is not None and self._place is not None:
            self._process.stop()
            while self._process.poll() is None and time.monotonic() < deadline:
                time.sleep(JOB_POLL_SECONDS)
            self._process.kill()
            self._place.unlink(missing_ok=True)
        return DelayedSubmission(RunJob(), *arguments)


class SlurmWorker:
    """A run's job, seen from the launcher.

    A job that ended leaves a file with its result. One that SLURM lost leaves none, so now and then
    `squeue` is asked whether the job is still there; `sacct`, which submitit would ask, is missing
    where a cluster keeps no accounts.

    Attributes:
        host: The node, or "slurm" until the job has one.
        pid: The process there, or None as long as the job is queued.
    """

    def __init__(self, job: submitit.Job[JobEnd], jobs: Path) -> None:
        self._job = job
        self._place = jobs / f"{job.job_id}.running"
        self._code: int | None = None  # of a job that was taken back, which returns nothing
        self._asked = time.monotonic()
        self._missed = 0  # how often squeue did not know it
        self.host = "slurm"
        self.pid: int | None = None

    def poll(self) -> int | None:
        """Return the exit code, None while the job goes on or is queued."""
        if self._code is not None:
            return self._code
        self._look_where()
        if not self._has_ended():
            return None
        if not self._job.paths.result_pickle.exists():
            return MACHINE_LOST  # no result: its node, or the whole job, went away
        try:
            end = self._job.result()
        except (UncompletedJobError, RuntimeError, OSError):
            return MACHINE_LOST
        if end.locked is not None:
            raise LockedError(end.locked)
        return end.code

    def _has_ended(self) -> bool:
        if not isinstance(self._job, submitit.SlurmJob):
            return bool(self._job.done())
        if self._job.paths.result_pickle.exists():
            return True
        if time.monotonic() - self._asked > SQUEUE_SECONDS:
            self._asked = time.monotonic()
            command = ["squeue", "--noheader", "--jobs", self._job.job_id]
            found = subprocess.run(command, check=False, capture_output=True, text=True)
            if found.returncode == 0 or UNKNOWN_JOB in found.stderr:  # else squeue cannot tell
                self._missed = 0 if found.stdout.strip() else self._missed + 1
        return self._missed >= MISSED

    def _look_where(self) -> None:
        try:
            pid, host = self._place.read_text().split(maxsplit=1)
        except FileNotFoundError:
            self.pid = None
        else:
            self.pid, self.host = int(pid), host

    def stop(self) -> None:
        """Ask the process to save and end; a job that is still queued is taken back."""
        self._look_where()
        if self.pid is None:
            self._job.cancel(check=False)
            self._code = INTERRUPTED
        elif isinstance(self._job, submitit.SlurmJob):
            subprocess.run(["scancel", "--signal=INT", self._job.job_id], check=False)
        else:  # the process is on this machine
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGINT)

    def kill(self) -> None:
        """End the job at once."""
        self._job.cancel(check=False)
        self._code = -signal.SIGKILL if self._code is None else self._code


class SlurmBackend:
    """A SLURM cluster.

    Args:
        folder: The experiment's folder; scripts and logs of jobs go to its folder `submitit`.
        options: Of `sbatch`, as submitit names them without "slurm_": partition, account, qos.
        program: The worker's command line, to which the run's folder is added.
        code: As in `Process`; the folder must be mounted on every node.
        cluster: "slurm", or "local" for processes on this machine that stand for jobs.

    Raises:
        InputError: There is no SLURM here, or it has no such option.
    """

    def __init__(
        self,
        folder: Path,
        options: Mapping[str, str] | None = None,
        *,
        program: Sequence[str] | None = None,
        code: Path | None = None,
        cluster: Literal["slurm", "local"] = "slurm",
    ) -> None:
        """Find SLURM and check the options."""
        self._jobs = folder.absolute() / JOBS_FOLDER
        self._program = tuple(program) if program else None
        self._code = code
        self._options = {"timeout_min": MINUTES, **_named(options or {})}
        python = processes.shell_python()  # submitit's own `python -m` imports from where it is
        try:
            self._executor = submitit.AutoExecutor(
                self._jobs, cluster=cluster, slurm_max_num_timeout=MOST_REQUEUES,
                slurm_python=python, local_python=python,
            )  # fmt: skip
            self._executor.update_parameters(**self._options)
        except (RuntimeError, NameError, ValueError, TypeError) as error:
            raise InputError(f"SLURM cannot be used: {' '.join(str(error).split())}") from error

    def slots(self, cores: int) -> int:
        """Return how many runs to have in the queue."""
        return MOST_JOBS

    def start(self, folder: Path, config: RunConfig) -> SlurmWorker:
        """Submit a job for the run in a folder; it waits for room if need be.

        Raises:
            OSError: SLURM takes no job.
        """
        self._executor.update_parameters(
            name=f"coordconv-{config.algo}-{config.game}-{config.arm_label}-{config.seed}",
            cpus_per_task=config.cores,
            gpus_per_node=int(config.device.startswith("cuda")),
        )
        arguments = (
            folder.absolute(),
            config.threads,
            self._program,
            self._jobs,
            self._code,
        )
        try:
            job = self._executor.submit(RunJob(), *arguments)
        except (submitit.core.utils.FailedJobError, subprocess.CalledProcessError) as error:
            raise OSError(5, f"SLURM takes no job: {' '.join(str(error).split())}") from error
        return SlurmWorker(job, self._jobs)

    def close(self) -> None:
        """Nothing to give back: jobs that go on have been asked to end."""


def _named(options: Mapping[str, str]) -> dict[str, int | str]:
    """Return options as submitit names them; whole numbers as numbers."""
    general = {"timeout_min", "mem_gb"}
    return {
        name if name in general else f"slurm_{name}": int(value) if value.isdigit() else value
        for name, value in options.items()
    }
