"""Every backend and its workers have what the scheduler asks for."""

from __future__ import annotations

import importlib
import inspect

import pytest

from coordconv_rl.comparison.launch.backend import Backend, Worker


def asked(protocol):
    names = [name for name in vars(protocol) if not name.startswith("_")]
    return {name: list(inspect.signature(getattr(protocol, name)).parameters) for name in names}


@pytest.mark.parametrize(
    ("module", "backend", "worker"),
    [
        ("local", "LocalBackend", "Process"),
        ("ray_backend", "RayBackend", "RayWorker"),
        ("slurm_backend", "SlurmBackend", "SlurmWorker"),
    ],
)
def test_a_backend_and_its_worker_take_what_the_scheduler_gives(module, backend, worker):
    if module != "local":
        library = {"ray_backend": "ray", "slurm_backend": "submitit"}[module]
        pytest.importorskip(library, reason=f"{library} is not installed")
    found = importlib.import_module(f"coordconv_rl.comparison.launch.{module}")
    for protocol, name in ((Backend, backend), (Worker, worker)):
        for method, parameters in asked(protocol).items():
            own = inspect.signature(getattr(getattr(found, name), method)).parameters
            assert list(own) == parameters, f"{name}.{method}"
