from __future__ import annotations

import lzma
import subprocess

import numpy as np
import pytest

from coordconv_rl.errors import InputError
from coordconv_rl.runs import NotWhole, check_whole, pack_file, packing, read_episodes, sum_of

DATA = b"step,score,frames,life_loss\n10,1.5,400,1\n20,0,80,0\n"
DONE = {"status": "done"}


def test_a_packed_file_is_read_as_the_file_itself_and_by_xz(tmp_path):
    path = tmp_path / "episodes.csv"
    path.write_bytes(DATA)
    expected = read_episodes(path)
    path.unlink()
    packed = packing.packed_path(path)
    packed.write_bytes(pack_file(DATA))
    assert packed.name == "episodes.csv.xz"
    np.testing.assert_array_equal(read_episodes(path), expected)
    check_whole(tmp_path, DONE, {"episodes.csv": sum_of(DATA, 2)})
    shown = subprocess.run(["xz", "--decompress", "--stdout", packed], stdout=-1, check=True)
    assert shown.stdout == DATA


def test_what_lies_there_unpacked_comes_first(tmp_path):
    (tmp_path / "episodes.csv").write_bytes(DATA)
    (tmp_path / "episodes.csv.xz").write_bytes(b"nonsense")
    assert len(read_episodes(tmp_path / "episodes.csv")) == 2


def test_rows_that_are_changed_before_they_are_packed_are_seen(tmp_path):
    (tmp_path / "episodes.csv.xz").write_bytes(pack_file(DATA[:-8]))
    with pytest.raises(NotWhole, match=r"episodes\.csv has 1 of 2 rows"):
        check_whole(tmp_path, DONE, {"episodes.csv": sum_of(DATA, 2)})


@pytest.mark.parametrize(
    ("packed", "said"),
    [
        (b"nonsense" * 4, "cannot be unpacked"),
        (b"", "cut"),
        (pack_file(DATA)[:-5], "cut"),
        (pack_file(DATA) + pack_file(DATA), "more than one"),
        (lzma.compress(DATA, lzma.FORMAT_ALONE), "cannot be unpacked"),
    ],
)
def test_a_damaged_one_is_one_line(tmp_path, packed, said):
    (tmp_path / "episodes.csv.xz").write_bytes(packed)
    with pytest.raises(InputError, match=rf"episodes\.csv\.xz is damaged \(it .*{said}"):
        read_episodes(tmp_path / "episodes.csv")
    with pytest.raises(NotWhole, match=rf"episodes\.csv\.xz cannot be read \(it .*{said}"):
        check_whole(tmp_path, DONE, {"episodes.csv": sum_of(DATA, 2)})


def test_one_that_grows_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(packing, "LARGEST", 1_000)
    (tmp_path / "episodes.csv.xz").write_bytes(pack_file(b"0" * 1_001))
    with pytest.raises(InputError, match="too large"):
        read_episodes(tmp_path / "episodes.csv")


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "other").write_bytes(pack_file(DATA))
    (tmp_path / "episodes.csv.xz").symlink_to(tmp_path / "other")
    with pytest.raises(InputError, match=r"episodes\.csv\.xz is damaged \(it is a link"):
        read_episodes(tmp_path / "episodes.csv")


def test_only_episodes_may_be_packed(tmp_path):
    (tmp_path / "evaluation.json.xz").write_bytes(pack_file(b"{}"))
    with pytest.raises(NotWhole, match=r"evaluation\.json is gone"):
        check_whole(tmp_path, DONE, {"evaluation.json": sum_of(b"{}")})
