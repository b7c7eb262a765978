"""The tables of runs: how many are done, what went wrong, how fast they were."""

from __future__ import annotations

import json

from synthetic import SMALL, make_experiment

from coordconv_rl.comparison.report.run_tables import (
    completeness_table,
    speed_table,
    trouble_table,
)
from coordconv_rl.comparison.results import read_results


def texts(row):
    return [cell.text for cell in row]


def test_finished_runs_are_counted_cell_by_cell(tmp_path):
    states = {("cnn", 2): "failed", ("shuffled", 1): "waiting"}
    make_experiment(tmp_path, lambda key: states.get(key[2:], "done"), **SMALL)
    (row,) = completeness_table(read_results(tmp_path)).rows
    assert texts(row) == ["PPO", "Pong", "2 of 3", "3 of 3", "2 of 3"]


def test_what_failed_is_named_with_its_reason_and_nothing_else_is(tmp_path):
    make_experiment(tmp_path, lambda key: "failed" if key[2:] == ("cnn", 2) else "done", **SMALL)
    (row,) = trouble_table(read_results(tmp_path)).rows
    assert texts(row) == [
        "ppo/Pong/cnn/seed-2", "failed", "1", "40,000", "Python stopped: <killed> by signal 9",
    ]  # fmt: skip
    make_experiment(tmp_path / "whole", **SMALL)
    assert trouble_table(read_results(tmp_path / "whole")) is None


def test_speed_is_the_median_of_what_records_say_and_those_that_say_nothing_are_passed_over(
    tmp_path,
):
    make_experiment(tmp_path, **SMALL)
    path = tmp_path / "ppo/Pong/cnn/seed-1/run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"steps_per_second": None}))
    cnn = texts(speed_table(read_results(tmp_path), "ppo").rows[0])
    assert cnn == ["cnn", "1,686,693", "902", "902 to 903", "0.333", "bfloat16"]
