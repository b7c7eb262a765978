"""Folders that version 0.1.0 wrote before the package moved into rooms: they open as ever.

Their checkpoints' large weights are set to zero and the files compressed, so that they are small.
"""

from __future__ import annotations

import csv
import json
import lzma
import shutil
from pathlib import Path

import pytest

DATA = Path(__file__).parents[1] / "data"


def unpacked(name: str, destination: Path) -> Path:
    """Copy a folder of `tests/data` and unpack its checkpoints."""
    folder = destination / name
    shutil.copytree(DATA / name, folder)
    for path in folder.rglob("*.xz"):
        path.with_suffix("").write_bytes(lzma.decompress(path.read_bytes()))
        path.unlink()
    return folder


@pytest.fixture
def agent(tmp_path: Path) -> Path:
    return unpacked("agent-0.1.0", tmp_path)


@pytest.fixture
def comparison(tmp_path: Path) -> Path:
    return unpacked("comparison-0.1.0", tmp_path)


def test_an_interrupted_agent_goes_on_to_its_end_and_is_judged(cli, agent):
    before = json.loads((agent / "run.json").read_text())
    assert (before["status"], before["step"]) == ("interrupted", 1282)
    rows = (agent / "episodes.csv").read_text()
    done = cli("train", "--resume", agent)
    assert done.returncode == 0, done.stderr
    assert "going on from step 1,312" in done.stderr
    after = json.loads((agent / "run.json").read_text())
    assert (after["status"], after["step"], after["attempts"]) == ("done", 1536, 2)
    assert (agent / "episodes.csv").read_text().startswith(rows)
    assert len(json.loads((agent / "evaluation.json").read_text())["stochastic"]["scores"]) == 2


def test_an_agent_is_inspected(cli, comparison):
    run = comparison / "ppo" / "Breakout" / "coordconv" / "seed-0"
    done = cli("inspect", run, "--episodes", 1)
    assert done.returncode == 0, done.stderr
    assert set(json.loads((run / "inspection.json").read_text())["scores"]) == {
        "trained",
        "zeroed",
        "permuted",
    }


def test_a_comparison_has_nothing_left_to_do_and_is_reported(cli, comparison):
    done = cli("compare", comparison / "experiment.yaml", "--folder", comparison, "--no-inspect")
    assert done.returncode == 0, done.stderr
    assert "All 4 runs are done" in done.stdout
    done = cli("report", comparison)
    assert done.returncode == 0, done.stderr
    with (comparison / "report" / "runs.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["status"] for row in rows] == ["done"] * 4
    for row in rows:
        path = comparison / "ppo" / "Breakout" / row["arm"] / f"seed-{row['seed']}"
        evaluation = json.loads((path / "evaluation.json").read_text())
        assert float(row["score"]) == evaluation["stochastic"]["mean"]
