"""What the ledger's lines say: read, refused, and written as they were."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from coordconv_rl.comparison.entries import (
    Entry,
    RunRequest,
    line,
    read_ledger,
    read_requests,
)
from coordconv_rl.errors import InputError
from coordconv_rl.runs import LEDGER_FILE

ASKED = RunRequest(
    "2026-01-02T03:04:05+00:00", "me@here", 100, ("ppo",), ("Pong",), ("cnn",), (0, 1)
)


def test_entries_and_requests_are_read_as_written(tmp_path):
    entry = Entry("ppo/Pong/cnn/seed-0", "done", 2)
    (tmp_path / LEDGER_FILE).write_text(line(ASKED) + line(entry))
    assert read_ledger(tmp_path) == {entry.run: entry}
    assert read_requests(tmp_path) == (ASKED,)
    assert read_requests(tmp_path / "nowhere") == ()


def test_a_request_names_every_combination():
    assert list(ASKED.runs()) == ["ppo/Pong/cnn/seed-0", "ppo/Pong/cnn/seed-1"]
    assert ASKED.is_same(RunRequest(None, None, 100, ("ppo",), ("Pong",), ("cnn",), (0, 1)))
    assert not ASKED.is_same(RunRequest(None, None, 200, ("ppo",), ("Pong",), ("cnn",), (0, 1)))


@pytest.mark.parametrize(
    "changes",
    [{"seeds": ["0"]}, {"seeds": [True]}, {"arms": "cnn"}, {"steps": "x"}, {"by": 1}, {"more": 1}],
)
def test_a_request_of_wrong_types_is_damaged(tmp_path, changes):
    values = json.loads(line(ASKED)) | changes
    (tmp_path / LEDGER_FILE).write_text(json.dumps(values) + "\n")
    with pytest.raises(InputError, match="damaged at line 1"):
        read_requests(tmp_path)


def test_the_pairs_that_were_asked_for_are_kept_and_must_be_pairs(tmp_path):
    asked = replace(ASKED, comparisons=(("coordconv", "cnn"),))
    (tmp_path / LEDGER_FILE).write_text(line(asked))
    assert read_requests(tmp_path) == (asked,)
    assert not asked.is_same(ASKED)
    older = {key: v for key, v in json.loads(line(ASKED)).items() if key != "comparisons"}
    (tmp_path / LEDGER_FILE).write_text(json.dumps(older) + "\n")
    assert read_requests(tmp_path) == (ASKED,)
    for wrong in ("cnn", [["cnn"]], [["cnn", 1]]):
        (tmp_path / LEDGER_FILE).write_text(json.dumps(older | {"comparisons": wrong}) + "\n")
        with pytest.raises(InputError, match="comparisons are"):
            read_requests(tmp_path)
