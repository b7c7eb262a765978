"""The benchmarks: their arithmetic by hand, and one part for real."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from waiting import LIMIT

ROOT = Path(__file__).resolve().parents[2]
if not (ROOT / "benchmarks").is_dir():
    pytest.skip("not a checkout", allow_module_level=True)
sys.path.insert(0, str(ROOT))

from benchmarks import repeats, subjects  # noqa: E402
from benchmarks.contest import Contest, summary  # noqa: E402
from benchmarks.processes import joint_rate  # noqa: E402
from benchmarks.remote import Failed  # noqa: E402
from benchmarks.subjects import make_training  # noqa: E402
from benchmarks.throughput import Options, plan  # noqa: E402
from coordconv_rl.agents.loading import load_agent  # noqa: E402
from coordconv_rl.agents.train import train_agent  # noqa: E402
from coordconv_rl.errors import InputError  # noqa: E402


def command(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.throughput", *map(str, words)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=LIMIT,
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


def test_everybody_goes_on_as_the_agent(small_run, tmp_path, monkeypatch):
    monkeypatch.setattr(subjects, "WARM_UP_STEPS", 64)
    train_agent(small_run(arm="cnn", game="Pong", steps=64), tmp_path)
    contests = plan(Options(agent=tmp_path, games="Qbert", precisions="bfloat16"), cores=1)
    titles = [f"PPO on Pong, 8 environments, {where}" for where in ("one thread", "all 1 cores")]
    both = [title + end for title in titles for end in ("", ", a trained agent")]
    assert [contest.title for contest in contests] == both
    assert not any(spec["agent"] for spec in contests[0].contestants.values())
    specs = contests[1].contestants
    assert list(specs) == [
        "ours, cnn, bfloat16",
        "ours, cnn, bfloat16, no FastPPO",
        "SB3 DummyVecEnv",
    ]

    agent, _, _ = load_agent(tmp_path)
    expected = agent.policy.state_dict()
    sizes = {"n_envs": 2, "n_steps": 16, "batch_size": 16, "n_epochs": 1}
    for spec in specs.values():
        training = make_training(spec | {"overrides": sizes})  # which trains to warm up
        weights = training.model.policy.state_dict()
        training.close()
        assert all(torch.equal(weights[name], expected[name]) for name in expected)


def test_agents_that_cannot_be_compared(small_run, tmp_path):
    with pytest.raises(InputError, match="holds no run"):
        plan(Options(agent=tmp_path), cores=1)
    train_agent(small_run(steps=32), tmp_path)
    with pytest.raises(InputError, match="stock SB3 trains cnn"):
        plan(Options(agent=tmp_path), cores=1)
    train_agent(small_run(steps=32, arm="cnn", screen_size=42), tmp_path / "small")
    with pytest.raises(InputError, match="small holds cnn, nature, v4, 42: stock SB3 trains"):
        plan(Options(agent=tmp_path / "small"), cores=1)
    with pytest.raises(InputError, match="part b alone"):
        plan(Options(agent=tmp_path, parts="a,b"), cores=1)


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


@pytest.fixture
def measure_repeats(monkeypatch, capsys):
    """Call `benchmarks.repeats` in this process, with few turns; return its code and its words."""

    def call(*words):
        monkeypatch.setattr(repeats, "A2C_TURNS", 2)
        monkeypatch.setattr(sys, "argv", ["repeats", *map(str, words)])
        return repeats.main(), capsys.readouterr()

    return call


def test_repeats_are_measured_one_way_and_the_other(tmp_path, measure_repeats):
    path = tmp_path / "result.json"
    words = ["--games", "Pong", "--algo", "a2c", "--rounds", 1, "--json", path]
    code, said = measure_repeats(*words)
    assert code == 0, said.err
    assert "Pong" in said.out
    (result,) = json.loads(path.read_text())["results"]
    assert 0 < result["shares"][0] < result["shares"][1] < result["shares"][2] < 1
    assert set(result["ms"]) == {"plain", "1", "1, 2", "1-3", "chosen", "collecting"}
    assert all(0 < ms["min"] <= ms["median"] <= ms["max"] for ms in result["ms"].values())


@pytest.mark.parametrize(
    ("words", "text"),
    [(["--games", "Pongg"], "did you mean Pong"), (["--rounds", 0], "must be at least 1")],
)
def test_repeats_of_nothing(measure_repeats, words, text):
    code, said = measure_repeats(*words)
    assert (code, said.err.count("\n")) == (2, 1)
    assert text in said.err
