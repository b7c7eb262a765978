"""Files appear whole or not at all."""

from __future__ import annotations

import errno
import os

import pytest

from coordconv_rl import files


def test_what_is_written_can_be_read(tmp_path):
    path = tmp_path / "file.json"
    files.write_json_atomic(path, {"a": [1, None, "ä"]})
    assert path.read_text() == '{\n  "a": [\n    1,\n    null,\n    "\\u00e4"\n  ]\n}\n'
    files.write_text_atomic(path, "ä")
    assert path.read_bytes() == b"\xc3\xa4"
    assert os.listdir(tmp_path) == ["file.json"]


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_a_failure_leaves_the_old_file_and_no_other(tmp_path, monkeypatch, broken):
    path = tmp_path / "file"
    files.write_bytes_atomic(path, b"old")

    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, broken, fail)
    with pytest.raises(OSError, match="No space") as caught:
        files.write_bytes_atomic(path, b"new")
    assert files.is_no_room(caught.value)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_nan_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match="nan"):
        files.write_json_atomic(tmp_path / "file", float("nan"))
    assert not os.listdir(tmp_path)


def test_no_room_is_a_full_disk_or_a_full_share_of_it():
    assert files.is_no_room(OSError(errno.EDQUOT, ""))
    assert not files.is_no_room(OSError(errno.EACCES, ""))
    assert not files.is_no_room(ValueError())
    assert not files.is_no_room(None)


def test_what_dead_processes_left_is_cleared_and_what_living_ones_write_is_not(tmp_path):
    dead, gone = f".a.json.{2**22 + 1}.tmp", ".b.json.99999999999999999999.tmp"
    living, other = f".a.json.{os.getpid()}.tmp", ".a.json.tmp"
    for name in (dead, gone, living, other):
        (tmp_path / name).touch()
    files.clear_left_behind(tmp_path, ("a.json",))
    assert sorted(os.listdir(tmp_path)) == sorted((gone, living, other))
    files.clear_left_behind(tmp_path)
    assert sorted(os.listdir(tmp_path)) == sorted((living, other))


def test_a_library_writes_to_a_name_that_nobody_can_know(tmp_path):
    path = tmp_path / "a[1].zip"
    left = tmp_path / ".a[1].zip.abc.partial"  # of a process that was killed
    left.mkdir()
    (left / "file.zip").touch()
    (tmp_path / "mine").mkdir()
    (tmp_path / ".a[1].zip.link.partial").symlink_to(tmp_path / "mine")
    with files.file_beside(path) as temporary:
        assert not left.exists()
        assert temporary.suffix == ".zip"
        assert temporary.parent.parent == tmp_path
        assert os.listdir(temporary.parent) == []
        temporary.write_bytes(b"new")
        temporary.replace(path)
    assert path.read_bytes() == b"new"
    assert sorted(os.listdir(tmp_path)) == sorted(("a[1].zip", "mine", ".a[1].zip.link.partial"))


def test_what_a_library_wrote_goes_when_it_fails(tmp_path):
    def fail(temporary):
        temporary.write_bytes(b"half")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"), files.file_beside(tmp_path / "a.gif") as temporary:
        fail(temporary)
    assert os.listdir(tmp_path) == []
