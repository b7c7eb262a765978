"""Files written so that nobody reads half of one, and so that no link is followed."""

from __future__ import annotations

import os

import pytest

from coordconv_rl import locks
from coordconv_rl.errors import InputError
from coordconv_rl.files import (
    clear_temporaries,
    open_regular,
    read_regular,
    refuse_links,
    write_text_atomic,
)


def test_a_link_is_replaced_and_what_it_points_to_stays(tmp_path):
    other, link = tmp_path / "other", tmp_path / "link"
    other.write_text("mine")
    link.symlink_to(other)
    write_text_atomic(link, "new")
    assert (other.read_text(), link.read_text()) == ("mine", "new")
    assert not link.is_symlink()


def test_a_link_under_the_temporary_name_is_not_written_through(tmp_path):
    other = tmp_path / "other"
    other.write_text("mine")
    (tmp_path / f".a.{os.getpid()}.tmp").symlink_to(other)
    write_text_atomic(tmp_path / "a", "new")
    assert other.read_text() == "mine"
    assert (tmp_path / "a").read_text() == "new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "other"]


def test_a_lock_that_is_a_link_is_refused(tmp_path):
    other = tmp_path / "other"
    other.write_text("mine")
    (tmp_path / "run.lock").symlink_to(other)
    with pytest.raises(OSError, match="link"):
        locks.acquire(tmp_path / "run.lock", "me")
    assert other.read_text() == "mine"


def test_only_regular_files_are_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(OSError, match="no regular file"):
            read_regular(path)
    with pytest.raises(OSError, match="directory"):
        open_regular(tmp_path, os.O_WRONLY)
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "none")


def test_only_temporary_files_of_the_named_are_cleared(tmp_path):
    names = (".run.json.12.tmp", ".best.json.3.tmp", ".run.json.tmp", "run.json.12.tmp", ".x.tmp")
    for name in names:
        (tmp_path / name).touch()
    clear_temporaries(tmp_path, ["run.json"])
    assert {path.name for path in tmp_path.iterdir()} == set(names[1:])
    clear_temporaries(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(names[2:])


@pytest.mark.parametrize("where", ["a", "deep/er/a"])
@pytest.mark.parametrize("target", ["file", "folder", "nothing", "itself"])
def test_a_link_that_leads_out_is_refused(tmp_path, where, target):
    folder = tmp_path / "folder"
    link = folder / where
    link.parent.mkdir(parents=True)
    (tmp_path / "file").touch()
    (tmp_path / "folder2").mkdir()
    names = {"file": "file", "folder": "folder2", "nothing": "none"}
    link.symlink_to(tmp_path / names[target] if target in names else link)
    if target == "itself":
        refuse_links(folder)  # leads nowhere
    else:
        with pytest.raises(InputError, match="outside of its folder"):
            refuse_links(folder)


def test_links_inside_and_a_folder_that_is_one_are_taken(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a").touch()
    (folder / "b").symlink_to("a")
    (tmp_path / "link").symlink_to(folder)
    refuse_links(folder)
    refuse_links(tmp_path / "link")
    refuse_links(tmp_path / "none")
