from __future__ import annotations

import contextlib
import dataclasses
import io

import pytest
import tyro

from coordconv_rl.configs.hyperparameters import Hyperparameters
from coordconv_rl.configs.load import to_yaml
from coordconv_rl.configs.schema import Evaluation, RunConfig


@pytest.mark.parametrize(
    ("threads", "workers", "cores"), [(1, 0, 1), (2, 0, 2), (2, 2, 2), (1, 2, 2)]
)
def test_cores_of_a_run(small_run, threads, workers, cores):
    """Threads and other processes take turns, so a run never needs room for both."""
    assert small_run(threads=threads, workers=workers).cores == cores


def test_the_command_lines_options_are_the_fields():
    """Each key of a run is an option with its help; a field without help is one nobody explains."""
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), pytest.raises(SystemExit):
        tyro.cli(RunConfig, args=["--help"])
    text = " ".join(shown.getvalue().split())
    kinds = (RunConfig, Hyperparameters, Evaluation)
    names = [field.name for kind in kinds for field in dataclasses.fields(kind)]
    for name in set(names) - {"environment", "evaluation", "hyperparameters"}:
        assert f"--{name.replace('_', '-')}" in text


def test_yaml_keys_stand_in_the_order_of_the_fields(small_run):
    keys = [line.split(":")[0] for line in to_yaml(small_run()).splitlines() if line[0] != " "]
    assert keys[:6] == ["algo", "game", "arm", "seed", "steps", "hyperparameters"]
    assert keys[-1] == "evaluation"
