"""All comparisons in one picture: numbers by hand, the reports' own intervals, what is missing."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
if not (ROOT / "benchmarks").is_dir():
    pytest.skip("not a checkout", allow_module_level=True)
sys.path.insert(0, str(ROOT))

from synthetic import make_experiment, score_of  # noqa: E402

from benchmarks import overview  # noqa: E402
from benchmarks.overview import ABOVE, BELOW, OPEN, ROWS, Row  # noqa: E402
from coordconv_rl.comparison.plan import read_experiment  # noqa: E402
from coordconv_rl.comparison.report import write_report  # noqa: E402
from coordconv_rl.errors import InputError  # noqa: E402


def test_a_row_is_what_the_comparisons_own_report_says(tmp_path):
    experiment = make_experiment(tmp_path / "made")
    rows = [Row("made", "all"), Row("made", "one", games=("Pong",))]
    whole, one = overview.look_at_all(tmp_path, rows)
    write_report(tmp_path / "made")
    with (tmp_path / "made" / "report" / "pairs.csv").open() as file:
        lines = [row for row in csv.DictReader(file) if row["against"] == "cnn"]
    (said,) = (row for row in lines if row["statistic"] == "probability_of_improvement")
    assert (whole.games, whole.seeds) == (3, 5)
    shown = [float(whole.improvement.value), *whole.bounds]
    assert shown == pytest.approx([float(said[name]) for name in ("value", "low", "high")])
    ours, theirs = (
        [score_of(("ppo", "Pong", arm, seed), 0.5) for seed in experiment.seeds]
        for arm in ("coordconv", "cnn")
    )
    wins = sum(x > y for x in ours for y in theirs) / 25
    assert float(one.improvement.value) == wins == 1.0
    assert one.colour == whole.colour == ABOVE
    assert one.size == "1 game, 5 seeds"
    assert one.value == "1.00 (every pair of runs)"


def test_colours_say_what_the_interval_carries(tmp_path):
    make_experiment(tmp_path / "made")
    rows = [Row("made", "", ("cnn", "coordconv")), Row("made", "", ("cnn", "shuffled"))]
    worse, equal = overview.look_at_all(tmp_path, rows)
    assert (worse.colour, equal.colour) == (BELOW, OPEN)
    assert worse.value.startswith("0.0")


def test_few_seeds_have_no_interval_and_missing_runs_are_counted(tmp_path):
    make_experiment(tmp_path / "two", seeds=(1, 2))
    make_experiment(tmp_path / "gone", status=lambda key: "failed" if key[3] > 3 else "done")
    two, gone = overview.look_at_all(tmp_path, [Row("two", ""), Row("gone", "")])
    assert (two.bounds, two.colour) == (None, OPEN)
    assert "(" not in two.value
    assert gone.seeds == 3


def test_a_picture_of_what_is_there(tmp_path, monkeypatch, capsys):
    make_experiment(tmp_path / "results" / "place", games=("Pong",))
    rows = (Row("place", "mine"), Row("nowhere", "not there"))
    monkeypatch.setattr(overview, "ROWS", rows)
    out = tmp_path / "all.png"
    results = str(tmp_path / "results")
    monkeypatch.setattr(sys, "argv", ["overview", "--results", results, "--out", str(out)])
    assert overview.main() == 0
    said = capsys.readouterr().out
    assert "mine" in said
    assert "not there" not in said
    assert out.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (Row("made", "", ("coordconv", "mine")), "made has no mine"),
        (Row("made", "", games=("Tennis",)), "made has no Tennis"),
        (Row("nowhere", ""), "holds none of the comparisons"),
    ],
)
def test_what_cannot_be_shown_is_one_line(tmp_path, row, said):
    make_experiment(tmp_path / "made")
    with pytest.raises(InputError, match=said):
        overview.look_at_all(tmp_path, [row])


def test_the_projects_own_results_are_all_in_it():
    """A comparison that is published is shown."""
    folders = [path.parent for path in (ROOT / "results").glob("*/ledger.jsonl")]
    there = {one.name for one in folders if len(read_experiment(one).arm_labels) > 1}
    assert there <= {row.folder for row in ROWS}
