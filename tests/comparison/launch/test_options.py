"""How a comparison is launched, as typed."""

from __future__ import annotations

import tyro

from coordconv_rl.comparison.launch.options import LaunchOptions


def test_options_may_come_more_than_once_and_flags_have_one_side():
    words = ["--backend", "slurm", "--slurm", "partition=gpu", "--slurm", "qos=low", "--dry-run"]
    found = tyro.cli(LaunchOptions, args=words)
    assert found.slurm == ("partition=gpu", "qos=low")
    assert (found.backend, found.dry_run, found.retries) == ("slurm", True, 2)
    assert tyro.cli(LaunchOptions, args=[]) == LaunchOptions()
