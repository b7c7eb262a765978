"""The benchmarks: their arithmetic by hand, and one part for real."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
if not (ROOT / "benchmarks").is_dir():
    pytest.skip("not a checkout", allow_module_level=True)
sys.path.insert(0, str(ROOT))

from benchmarks.contest import Contest, summary  # noqa: E402
from benchmarks.processes import joint_rate  # noqa: E402
from benchmarks.remote import Failed  # noqa: E402
from benchmarks.throughput import Options, plan  # noqa: E402
from coordconv_rl.errors import InputError  # noqa: E402


def command(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.throughput", *map(str, words)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        check=False,
    )


def test_environment_part_writes_json(tmp_path):
    path = tmp_path / "result.json"
    done = command(
        "--parts", "a", "--rounds", 2, "--seconds", 0.05, "--cores", 1, "--games", "Pong",
        "--only", "one process",
        "--json", path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(path.read_text())
    assert report["cores"] == 1
    first = report["results"][0]
    rows = {row["name"]: row for row in first["rows"]}
    assert first["baseline"] == "SB3 DummyVecEnv"
    assert len(rows["ours"]["values"]) == 2
    for i in range(2):
        expected = rows["ours"]["values"][i] / rows["SB3 DummyVecEnv"]["values"][i]
        assert rows["ours"]["ratios"][i] == pytest.approx(expected)
    assert report["mean_over_games"]["ours"] == rows["ours"]["ratio"]["median"]


@pytest.mark.parametrize("changes", [{"parts": "z"}, {"parts": "g"}, {"only": "no such text"}])
def test_options_that_make_no_sense(changes):
    with pytest.raises(InputError):
        plan(Options(**changes), cores=1)


def test_ratios_refer_to_the_best_baseline_round_by_round():
    contest = Contest("a", "t", "steps/s", ("slow", "fast"), {})
    values = {"ours": [30.0, 10.0, 40.0], "slow": [5.0, 5.0, 5.0], "fast": [10.0, 10.0, 10.0]}
    result = summary(contest, values, {})
    assert result["baseline"] == "fast"
    ours = result["rows"][0]
    assert ours["ratios"] == [3.0, 1.0, 4.0]
    assert ours["ratio"] == {"median": 3.0, "min": 1.0, "max": 4.0}


def test_joint_rate_counts_only_while_all_train():
    one = [(0.0, 100), (10.0, 200), (20.0, 500), (30.0, 9_000)]
    two = [(10.0, 0), (15.0, 50), (20.0, 100)]
    assert joint_rate([one, two]) == pytest.approx(30 + 10)
    with pytest.raises(Failed):
        joint_rate([one, [(10.0, 0)]])
