"""The comparison of two precisions: made-up experiments, numbers by hand, refusals."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
if not (ROOT / "benchmarks").is_dir():
    pytest.skip("not a checkout", allow_module_level=True)
sys.path.insert(0, str(ROOT))

from synthetic import make_experiment, score_of  # noqa: E402

from benchmarks import precision  # noqa: E402
from coordconv_rl.comparison.results import read_results  # noqa: E402
from coordconv_rl.errors import InputError  # noqa: E402


def pair(tmp_path, *, second=None, status=lambda key: "done"):
    make_experiment(tmp_path / "a", precision="bfloat16", status=status)
    make_experiment(tmp_path / "b", **{"precision": "float32", "arms": ("cnn",), **(second or {})})
    return [read_results(tmp_path / name) for name in "ab"]


def test_equal_scores_differ_by_nothing(tmp_path):
    verdicts = precision.compare(*pair(tmp_path))
    assert [v.name for v in verdicts] == [
        "ppo, cnn, Breakout", "ppo, cnn, Pong", "ppo, cnn, Seaquest",
        "ppo, cnn, all, human-normalised",
    ]  # fmt: skip
    assert verdicts[0].first[:, 0] == pytest.approx(
        [score_of(("ppo", "Breakout", "cnn", seed), 0.5) for seed in (1, 2, 3, 4, 5)]
    )
    for verdict in verdicts:
        difference, better = verdict.difference(), verdict.improvement()
        assert difference.value == 0
        assert difference.low < 0 < difference.high
        assert better.value == pytest.approx(0.5)
        assert verdict.p_value is None or verdict.p_value == pytest.approx(1.0)


def test_missing_runs_are_counted_and_not_filled(tmp_path):
    def status(key):
        return "failed" if key[1] == "Pong" and key[3] in (1, 2, 3) else "done"

    verdict = precision.compare(*pair(tmp_path, status=status))[1]
    assert np.isnan(verdict.first[:3]).all()
    assert verdict.difference().low is None
    assert "(2 of 5)" in verdict.cells()[1]
    assert "under 3 seeds" in verdict.cells()[3]


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ({"steps": 50_000}, "steps is 100000"),
        ({"precision": "bfloat16"}, "nothing to compare"),
        ({"arms": ("coordconv-r",)}, "share no arm"),
    ],
)
def test_experiments_that_differ_otherwise_are_refused(tmp_path, second, message):
    with pytest.raises(InputError, match=message):
        precision.compare(*pair(tmp_path, second=second))
