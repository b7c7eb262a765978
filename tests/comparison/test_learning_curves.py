"""Learning curves: windows, and runs of unequal length."""

from __future__ import annotations

import json

import numpy as np
from folders import experiment, finish

from coordconv_rl.comparison import learning_curves, results
from coordconv_rl.comparison.launch import ledger
from coordconv_rl.runs.episodes import EPISODE_DTYPE


def test_a_curve_is_the_mean_of_the_games_in_the_window_before_each_step():
    episodes = np.array(
        [(5, 1, 4, 1), (10, 3, 4, 1), (11, 100, 4, 1), (40, 7, 4, 1)], EPISODE_DTYPE
    )
    grid = np.array([4, 10, 20, 30, 40, 50])
    line = learning_curves.smooth(episodes, grid, trained=40, window=10)
    np.testing.assert_array_equal(line, [np.nan, 2.0, 100.0, np.nan, 7.0, np.nan])


def test_curves_of_unequal_runs_end_where_each_run_ends(tmp_path):
    config = experiment(algos=("ppo",), games=("Pong",), arms=("cnn",))
    finish(tmp_path, config)
    late = tmp_path / "ppo/Pong/cnn/seed-5"
    record = json.loads((late / "run.json").read_text())
    (late / "run.json").write_text(json.dumps(record | {"step": 600, "status": "running"}))
    rows = (late / "episodes.csv").read_text().splitlines()[:7]
    (late / "episodes.csv").write_text("\n".join(rows) + "\n")
    with ledger.Ledger(tmp_path, ["ppo/Pong/cnn/seed-3", "ppo/Pong/cnn/seed-5"]) as held:
        held.update("ppo/Pong/cnn/seed-5", status="running")
        found = results.read_results(tmp_path)
    grid = np.arange(200, 1001, 200)
    rows = learning_curves.curves(found, "ppo", "Pong", "cnn", grid)
    np.testing.assert_array_equal(rows[0], [200, 400, 600, 800, 1000])
    np.testing.assert_array_equal(rows[1], [200, 400, 600, np.nan, np.nan])
