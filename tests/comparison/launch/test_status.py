"""What `compare --status` shows."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from folders import experiment, finish
from rich.console import Console

from coordconv_rl.comparison import plan
from coordconv_rl.comparison.entries import RunRequest
from coordconv_rl.comparison.launch import ledger
from coordconv_rl.comparison.launch.status import (
    print_status,
    request_table,
    status_entries,
    status_tables,
)
from coordconv_rl.configs import make_run_id
from coordconv_rl.errors import InputError


def test_the_status_counts_every_run_and_names_what_went_wrong(tmp_path, capsys):
    config = experiment()
    finish(tmp_path, config)
    runs = [make_run_id(*key) for key in plan.run_keys(config)]
    with ledger.Ledger(tmp_path, runs) as held:
        held.update(runs[0], status="waiting", attempts=0)
        assert print_status(tmp_path) == 0
        held.update(runs[1], status="failed", attempts=3, reason="killed by SIGKILL")
    assert print_status(tmp_path) == 1
    shown = capsys.readouterr().out
    assert "16 runs" in shown
    assert "SIGKILL" in shown
    console = Console(width=200, file=io.StringIO())
    console.print(*status_tables(status_entries(tmp_path), most=3))
    few = console.file.getvalue()
    assert runs[1] in few
    assert runs[2] not in few  # it is done, and only three have room


def test_runs_that_are_named_and_were_never_asked_for_are_told(tmp_path, capsys, caplog):
    finish(tmp_path, experiment())
    assert print_status(tmp_path, experiment(seeds=(3, 5, 7))) == 0
    assert "has not been asked for 8 runs" in caplog.text
    assert "16 runs" in capsys.readouterr().out
    caplog.clear()
    assert print_status(tmp_path, experiment(seeds=(5,))) == 0
    assert not caplog.messages
    with pytest.raises(InputError, match=r"another experiment \(name was trial and is now other\)"):
        print_status(tmp_path, experiment(name="other"))


def test_the_pairs_that_were_asked_for_are_shown():
    first = RunRequest(None, None, 64, ("ppo",), ("Pong",), ("cnn", "coordconv"), (0,))
    table = request_table((first, replace(first, comparisons=(("coordconv", "cnn"),))))
    assert list(table.columns[-1].cells) == ["as the arms", "coordconv against cnn"]
    assert len(request_table((first, first)).columns) == 7
