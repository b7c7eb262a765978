from __future__ import annotations

import pytest

from coordconv_rl.arms import ARMS
from coordconv_rl.cli.main import main
from coordconv_rl.configs import experiment_names


def test_arms_are_listed_with_what_they_see(capsys):
    assert main(["arms"]) == 0
    shown = capsys.readouterr().out
    for name, arm in ARMS.items():
        assert name in shown
        assert arm.summary in shown


@pytest.mark.parametrize("width", ["80", "160"])
def test_experiments_are_listed_with_what_they_cost(capsys, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", width)
    assert main(["experiments"]) == 0
    shown = capsys.readouterr().out
    for name in experiment_names():
        assert name in shown
    assert "2 x 10 x 3 x 5" in shown  # atari-10
    assert "10,000,000" in shown
