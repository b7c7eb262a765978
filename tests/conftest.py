"""Shared by all tests: one thread each, small runs, the command line as a user calls it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import forked
import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")

from coordconv_rl.configs.load import preset
from coordconv_rl.configs.schema import Evaluation, RunConfig
from coordconv_rl.processes import available_cores

# A shell's background job ignores SIGINT, nohup SIGHUP; what the tests start would ignore them too.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

Cli = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.hookimpl(optionalhook=True)  # known where pytest-xdist is loaded
def pytest_xdist_auto_num_workers() -> int:
    """One worker more than cores: many tests wait for processes to start, to end or to be seen."""
    return 1 + available_cores()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a CUDA GPU where torch sees none."""
    found = [item for item in items if item.get_closest_marker("gpu")]
    if found:
        import torch

        if not torch.cuda.is_available():
            for item in found:
                item.add_marker(pytest.mark.skip(reason="needs a CUDA GPU"))


@pytest.fixture
def cli(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """Call the command line in an empty folder and return what it did."""

    def call(*words: object) -> subprocess.CompletedProcess[str]:
        return forked.run(*words, folder=tmp_path, said=tmp_path_factory.mktemp("said"))

    return call


@pytest.fixture(scope="session")
def small_run() -> Callable[..., RunConfig]:
    """Make the configuration of a run that takes seconds."""

    def make(algo: str = "ppo", **changes: Any) -> RunConfig:
        settings: dict[str, Any] = {"n_envs": 2, "n_steps": 16}
        if algo == "ppo":
            settings |= {"batch_size": 16, "n_epochs": 2}
        values: dict[str, Any] = {
            "algo": algo,
            "game": "Breakout",
            "arm": "coordconv",
            "seed": 1,
            "steps": 256,
            "hyperparameters": preset(algo, settings),
            "checkpoint_minutes": 0.0,
            "evaluation": Evaluation(episodes=0),
        }
        return RunConfig(**values | changes)

    return make
