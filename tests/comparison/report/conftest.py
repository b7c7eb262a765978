"""A finished experiment with its report, made once for all tests that only look at it."""

from __future__ import annotations

import pytest
from synthetic import make_experiment, write_inspection

from coordconv_rl.comparison.report import write_report


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    make_experiment(folder)
    for seed in (1, 2):
        write_inspection(folder, ("ppo", "Breakout", "coordconv", seed))
    write_report(folder)
    return folder


@pytest.fixture(scope="session")
def html(finished):
    return (finished / "report" / "index.html").read_text(encoding="utf-8")
