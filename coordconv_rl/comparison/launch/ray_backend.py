"""One Ray actor a run, on whichever machine of the cluster has room (extra `ray`).

The actor starts the same process that the local backend starts, so checkpoints, retries and
results are the same. The experiment's folder must lie on storage that every machine mounts at
the same path, and the package must be installed on all of them.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

# Ray reads this when it is imported. Under `uv run` it would else send a copy of the working folder
# to its workers, first on their import path.
os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")

import grpc  # type: ignore[import-untyped]
import ray
from ray.exceptions import ActorUnavailableError, RayActorError
from ray.job_config import JobConfig

from coordconv_rl import processes
from coordconv_rl.comparison.launch.local import Process
from coordconv_rl.configs import RunConfig
from coordconv_rl.errors import MACHINE_LOST, InputError
from coordconv_rl.locks import LockedError
from coordconv_rl.runs import WANDB_VARIABLE

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 10.0
KILL_SECONDS = 5.0


class Look(NamedTuple):
    """What an actor says of its process: exit code or None, where it is, who keeps it waiting."""

    code: int | None
    host: str
    pid: int | None
    locked: str | None = None


class RunActor:
    """Holds one run's process on a machine of the cluster."""

    def __init__(
        self, folder: str, threads: int, program: tuple[str, ...] | None, code: Path | None
    ) -> None:
        self._start = (Path(folder), threads, program, code)
        self._process: Process | None = None

    def look(self) -> Look:
        """Start the process at the first call, and say how it is."""
        if self._process is None:
            try:
                self._process = Process(*self._start)
            except LockedError as error:
                return Look(None, socket.gethostname(), None, str(error))
        return Look(self._process.poll(), self._process.host, self._process.pid)

    def stop(self) -> None:
        """Ask the process to save and end."""
        if self._process is not None:
            self._process.stop()

    def kill(self) -> None:
        """End the process at once."""
        if self._process is not None:
            self._process.kill()


class CleanJob(JobConfig):
    """What Ray tells its workers of a job: here, to import nothing from the working folder.

    Ray puts that folder and the running script's first on its workers' import path, and offers no
    way to say no. Those that `import_path` leaves out are taken off again before the job is sent.
    """

    def _serialize(self) -> str:
        kept = processes.import_path()
        self._py_driver_sys_path = [path for path in self._py_driver_sys_path if path in kept]
        return super()._serialize()


class RayWorker:
    """A run's actor, seen from the launcher; nothing here waits for the cluster.

    Attributes:
        host: The machine, or "ray" until the actor has one.
        pid: The process there, or None until it runs.
    """

    def __init__(self, actor: Any) -> None:
        self._actor = actor
        self._answer = actor.look.remote()
        self.host = "ray"
        self.pid: int | None = None

    def poll(self) -> int | None:
        """Return the exit code, None while it lives or waits for room."""
        ready, _ = ray.wait([self._answer], timeout=0)
        if not ready:
            return None
        try:
            look: Look = ray.get(self._answer)
        except ActorUnavailableError:
            self._answer = self._actor.look.remote()
            return None
        except RayActorError:
            return MACHINE_LOST
        if look.locked is not None:
            ray.kill(self._actor)
            raise LockedError(look.locked)
        self.host, self.pid = look.host, look.pid
        if look.code is None:
            self._answer = self._actor.look.remote()
        else:
            ray.kill(self._actor)  # gives its cores back
        return look.code

    def stop(self) -> None:
        """Ask the process to save and end."""
        if self.pid is None:
            ray.kill(self._actor)
        else:
            self._actor.stop.remote()

    def kill(self) -> None:
        """End the process and its actor."""
        if self.pid is not None:
            ray.wait([self._actor.kill.remote()], timeout=KILL_SECONDS)
        ray.kill(self._actor)


class RayBackend:
    """A Ray cluster.

    Args:
        address: The cluster's address, as in "10.0.0.1:6379"; None for one on this machine.
        program: The worker's command line, to which the run's folder is added.
        code: As in `Process`; the folder must be mounted on every machine.

    Raises:
        InputError: There is no Ray at the address.
    """

    def __init__(
        self,
        address: str | None,
        program: Sequence[str] | None = None,
        code: Path | None = None,
    ) -> None:
        """Connect to the cluster."""
        if address is not None and address != "auto":
            _check_address(address)
        try:
            ray.init(
                address=address,
                logging_level=logging.ERROR,
                log_to_driver=False,
                namespace="coordconv",
                **_clean_imports(address),
            )
        except (ConnectionError, RuntimeError, ValueError) as error:
            where = address or "this machine"
            raise InputError(
                f"no Ray cluster at {where}: {' '.join(str(error).split())}; "
                "for one that asks for a token, set RAY_AUTH_MODE=token"
            ) from error
        self._program = tuple(program) if program else None  # else made on the run's own machine
        self._code = code

    def slots(self, cores: int) -> int:
        """Return how many runs of so many cores the cluster holds now, at least one."""
        return max(1, int(_resource("CPU")) // cores)

    def start(self, folder: Path, config: RunConfig) -> RayWorker:
        """Ask for an actor for the run in a folder; it waits for room if need be."""
        cores = config.cores
        gpus = _resource("GPU") / self.slots(cores)
        options: dict[str, Any] = {
            "num_cpus": cores,
            "num_gpus": min(1.0, gpus) if config.device.startswith("cuda") else 0,
            "max_restarts": 0,
        }
        if WANDB_VARIABLE in os.environ:
            project = {WANDB_VARIABLE: os.environ[WANDB_VARIABLE]}
            options["runtime_env"] = {"env_vars": project}
        actor = ray.remote(RunActor).options(**options)
        arguments = (str(folder.resolve()), config.threads, self._program, self._code)
        return RayWorker(actor.remote(*arguments))

    def close(self) -> None:
        """Leave the cluster; a local one ends."""
        ray.shutdown()


def _clean_imports(address: str | None) -> dict[str, Any]:
    """Return the options of `ray.init` that keep the working folder off every import path.

    A cluster that Ray starts here gets no dashboard, as that runs `python -c` here. Ray's client
    (ray://) takes no such options, and gives its workers none of this machine's folders.
    """
    named = os.environ.get("RAY_ADDRESS", "") if address in (None, "auto") else address
    if named and "://" in named:
        return {}
    return {"job_config": CleanJob(), "include_dashboard": False}


def _resource(name: str) -> float:
    everything: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return everything.get(name, 0.0)


def _check_address(address: str) -> None:
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not host or not port.isdigit():
        raise InputError(f"the Ray address {address!r} is not HOST:PORT, as in 10.0.0.1:6379")
    try:
        socket.create_connection((host, int(port)), CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise InputError(
            f"no Ray cluster at {address} ({error}): start one with ray start --head"
        ) from error
    if os.environ.get("RAY_USE_TLS", "0") == "0":
        _check_grpc(f"{host}:{port}")


def _check_grpc(address: str) -> None:
    """Raise `InputError` if what listens does not speak gRPC: Ray itself would try for minutes."""
    with grpc.insecure_channel(address) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=ANSWER_SECONDS)
        except grpc.FutureTimeoutError as error:
            raise InputError(
                f"no Ray cluster at {address}: something else listens there; "
                "start one with ray start --head"
            ) from error
