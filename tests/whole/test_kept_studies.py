"""What the repository keeps of the studies makes the kept tables, and lacks no training."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from coordconv_rl.studies import StudyOptions
from coordconv_rl.studies.report import collect, ratios, write_markdown
from coordconv_rl.studies.tasks import load_study
from coordconv_rl.studies.training import plan

KEPT = Path(__file__).parents[2] / "results" / "studies"
OPTIONS = {  # as docs/studies.md names them
    "coordinate-classification": StudyOptions(threads=2),
    "coordinate-classification-long": StudyOptions(seeds=3, split="uniform", budget=33, threads=3),
    "generation": StudyOptions(threads=2),
    "rendering": StudyOptions(threads=2),
    "rendering-long": StudyOptions(seeds=3, split="uniform", budget=9, threads=3),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_kept_results_make_their_table_again_and_leave_nothing_to_train(name, tmp_path):
    study, options = load_study(name.removesuffix("-long")), OPTIONS[name]
    kept = shutil.copytree(KEPT / name, tmp_path / name)
    wanted = (kept / "table.md").read_text()
    rows = collect(study, options, kept)
    assert write_markdown(study, rows, ratios(study, rows), kept).read_text() == wanted
    units = plan.first_units(study, options) + plan.second_units(study, options, kept)
    for unit in units + plan.last_units(study, options, kept):
        result = plan.find_result(kept, unit)
        assert result is not None
        assert result.is_complete(unit.seconds)
