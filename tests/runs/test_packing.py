from __future__ import annotations

import bz2
import subprocess

import numpy as np
import pytest

from coordconv_rl.errors import InputError
from coordconv_rl.runs import NotWhole, check_whole, pack_episodes, packing, read_episodes, sum_of

DATA = b"step,score,frames,life_loss\n10,1.5,400,1\n10,-2,9,0\n20,0,80,0\n"
ROWS = b"step_increase,score,frames,life_loss\n10,1.5,400,1\n0,-2,9,0\n10,0,80,0\n"
DONE = {"status": "done"}


def packed(data: bytes) -> bytes:
    made = pack_episodes(data)
    assert made is not None
    return made


def test_a_packed_file_is_read_as_the_file_itself_and_by_bzip2(tmp_path):
    path = tmp_path / "episodes.csv"
    path.write_bytes(DATA)
    expected = read_episodes(path)
    path.unlink()
    packed_path = packing.packed_path(path)
    packed_path.write_bytes(packed(DATA))
    assert packed_path.name == "episodes.csv.bz2"
    np.testing.assert_array_equal(read_episodes(path), expected)
    check_whole(tmp_path, DONE, {"episodes.csv": sum_of(DATA, 3)})
    shown = subprocess.run(
        ["bzip2", "--decompress", "--stdout", packed_path], stdout=-1, check=True
    )
    assert shown.stdout == ROWS


def test_no_games_are_packed_too(tmp_path):
    header = DATA[: DATA.index(b"\n") + 1]
    (tmp_path / "episodes.csv.bz2").write_bytes(packed(header))
    assert packing.read_packable(tmp_path / "episodes.csv") == header


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nonsense\n",
        DATA[:-1],
        DATA + b"\n",
        DATA + b"5,0,80,0\n",  # a step that goes back
        DATA + b"+30,0,80,0\n",
        DATA + b"030,0,80,0\n",
        DATA + b"30\n",
        DATA.replace(b"\n", b"\r\n"),
        DATA.replace(b"score", b"points"),
    ],
)
def test_what_would_not_come_back_byte_for_byte_is_not_packed(data):
    assert pack_episodes(data) is None


def test_what_lies_there_unpacked_comes_first(tmp_path):
    (tmp_path / "episodes.csv").write_bytes(DATA)
    (tmp_path / "episodes.csv.bz2").write_bytes(b"nonsense")
    assert len(read_episodes(tmp_path / "episodes.csv")) == 3


def test_rows_that_are_changed_before_they_are_packed_are_seen(tmp_path):
    (tmp_path / "episodes.csv.bz2").write_bytes(packed(DATA[: -len(b"20,0,80,0\n")]))
    with pytest.raises(NotWhole, match=r"episodes\.csv has 2 of 3 rows"):
        check_whole(tmp_path, DONE, {"episodes.csv": sum_of(DATA, 3)})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"nonsense" * 4, "cannot be unpacked"),
        (b"", "cut"),
        (packed(DATA)[:-5], "cut"),
        (packed(DATA) + packed(DATA), "more than one"),
        (bz2.compress(DATA), "no packed episodes"),
        (bz2.compress(ROWS[:-1]), "no packed episodes"),
        (bz2.compress(ROWS.replace(b"10,", b"-10,")), "no packed episodes"),
        (bz2.compress(ROWS + b"9" * 5_000 + b",1,1,1\n"), "no packed episodes"),
        (bz2.compress(b""), "no packed episodes"),
    ],
)
def test_a_damaged_one_is_one_line(tmp_path, content, said):
    (tmp_path / "episodes.csv.bz2").write_bytes(content)
    with pytest.raises(InputError, match=rf"episodes\.csv\.bz2 is damaged \(it .*{said}"):
        read_episodes(tmp_path / "episodes.csv")
    with pytest.raises(NotWhole, match=rf"episodes\.csv\.bz2 cannot be read \(it .*{said}"):
        check_whole(tmp_path, DONE, {"episodes.csv": sum_of(DATA, 3)})


def test_one_that_grows_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(packing, "LARGEST", 1_000)
    (tmp_path / "episodes.csv.bz2").write_bytes(bz2.compress(b"0" * 1_001))
    with pytest.raises(InputError, match="too large"):
        read_episodes(tmp_path / "episodes.csv")


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "other").write_bytes(packed(DATA))
    (tmp_path / "episodes.csv.bz2").symlink_to(tmp_path / "other")
    with pytest.raises(InputError, match=r"episodes\.csv\.bz2 is damaged \(it is a link"):
        read_episodes(tmp_path / "episodes.csv")


def test_only_episodes_may_be_packed(tmp_path):
    (tmp_path / "evaluation.json.bz2").write_bytes(bz2.compress(b"{}"))
    with pytest.raises(NotWhole, match=r"evaluation\.json is gone"):
        check_whole(tmp_path, DONE, {"evaluation.json": sum_of(b"{}")})
