from __future__ import annotations

import pytest

from coordconv_rl.errors import InputError
from coordconv_rl.runs import NotWhole, check_whole, is_checked, read_sums, sum_of
from coordconv_rl.runs.sums import sums_as_json

DATA = b"step,score,frames,life_loss\n10,1,400,1\n20,2,400,1\n"
SUMS = {"episodes.csv": sum_of(DATA, 2), "evaluation.json": sum_of(b"{}")}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "episodes.csv").write_bytes(DATA)
    (tmp_path / "evaluation.json").write_bytes(b"{}")
    return tmp_path


def test_sums_come_back_from_the_record(tmp_path):
    record = {"files": sums_as_json(SUMS)}
    assert read_sums(tmp_path, record) == SUMS
    assert is_checked(record)
    assert read_sums(tmp_path, {}) == {}
    assert not is_checked({})


@pytest.mark.parametrize(
    "sums",
    [
        [], {"../x": {"bytes": 1, "sha256": ""}}, {"episodes.csv": 5},
        {"episodes.csv": {"bytes": -1, "sha256": ""}}, {"episodes.csv": {"bytes": 1}},
        {"episodes.csv": {"bytes": 1, "sha256": "", "rows": True}},
    ],
)  # fmt: skip
def test_sums_that_make_no_sense_are_damage(tmp_path, sums):
    with pytest.raises(InputError, match="is damaged"):
        read_sums(tmp_path / "run.json", {"files": sums})


@pytest.mark.parametrize("status", ["done", "running"])
@pytest.mark.parametrize(
    ("data", "why"),
    [
        (DATA[:40], r"has 1 of 2 rows \(40 of 50 bytes\)"),
        (b"", r"has 0 of 2 rows"),
        (DATA.replace(b"20,2", b"20,9"), "was changed after it was written"),
        (None, "is gone"),
    ],
)
def test_what_is_missing_is_said(folder, status, data, why):
    if data is None:
        (folder / "episodes.csv").unlink()
    else:
        (folder / "episodes.csv").write_bytes(data)
    with pytest.raises(NotWhole, match=r"episodes\.csv " + why):
        check_whole(folder, {"status": status}, SUMS)


def test_only_a_run_that_goes_on_has_more_rows_than_it_said(folder):
    check_whole(folder, {"status": "done"}, SUMS)
    (folder / "episodes.csv").write_bytes(DATA + b"30,1,400,1\n")
    check_whole(folder, {"status": "running"}, SUMS)
    with pytest.raises(NotWhole, match="has 3 of 2 rows"):
        check_whole(folder, {"status": "done"}, SUMS)
