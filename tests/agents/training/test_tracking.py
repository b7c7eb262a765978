"""Weights & Biases, offline: its own library writes its own file, which is read back."""

from __future__ import annotations

import dataclasses
import json
import struct
import sys

import pytest
from folders import reopen
from small_agent import small_config
from waiting import wait_for

from coordconv_rl.agents import train_agent
from coordconv_rl.agents.training.tracking import tracked
from coordconv_rl.errors import InputError

RUN = "ppo/minatar-breakout/coordconv/seed-0"


def records(file):
    """Yield what an offline file holds: a LevelDB log behind seven bytes, in blocks of 32 KiB."""
    data, place, whole = file.read_bytes(), 7, b""
    while place + 7 <= len(data):
        left = 32_768 - place % 32_768
        if left < 7:
            place += left
            continue
        size, kind = struct.unpack_from("<HB", data, place + 4)
        whole += data[place + 7 : place + 7 + size]
        place += 7 + size
        if kind in (1, 4):  # a whole record, or the last part of one
            yield whole
            whole = b""


def parsed(file):
    from wandb.proto.wandb_internal_pb2 import Record

    found = [Record() for _ in records(file)]
    for record, data in zip(found, records(file), strict=False):  # it may grow meanwhile
        record.ParseFromString(data)
    return found


def history(file):
    """Return names and values of an offline file's scalars, and its run's facts.

    W&B's own process writes on for a moment after `finish`; a run's last record is its exit.
    """
    wait_for(lambda: any(one.WhichOneof("record_type") == "exit" for one in parsed(file)))
    rows, facts, summary = [], {}, {}
    for record in parsed(file):
        if record.WhichOneof("record_type") == "history":
            rows += [
                {item.key or "/".join(item.nested_key): item.value_json}
                for item in record.history.item
            ]
        if record.WhichOneof("record_type") == "run":
            run = record.run
            facts = {"id": run.run_id, "name": run.display_name, "group": run.run_group}
            facts["config"] = {item.key: item.value_json for item in run.config.update}
        if record.WhichOneof("record_type") == "summary":
            summary |= {
                item.key or "/".join(item.nested_key): json.loads(item.value_json)
                for item in record.summary.update
            }
    return rows, facts, summary


def test_an_offline_run_holds_what_tensorboard_has_and_goes_on_as_the_same(tmp_path, monkeypatch):
    pytest.importorskip("wandb", reason="the extra wandb is not installed")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "trial" / RUN
    config = small_config(episodes=1)
    record = train_agent(config, folder, wandb="coords")
    (file,) = tmp_path.glob("wandb/offline-run-*/run-*.wandb")
    rows, facts, summary = history(file)
    names = {name for row in rows for name in row}
    assert any(name.endswith("train/loss") for name in names), (names, file)
    assert (facts["name"], facts["group"]) == (RUN, "trial")
    assert json.loads(facts["config"]["game"]) == "minatar/breakout"
    assert record["wandb"] == {"project": "coords", "id": facts["id"]}
    evaluation = json.loads((folder / "evaluation.json").read_text())
    assert summary["evaluation/stochastic"] == evaluation["stochastic"]["mean"]
    reopen(folder)
    longer = dataclasses.replace(config, steps=config.steps)
    again = train_agent(longer, folder, wandb="coords")
    assert again["wandb"] == record["wandb"]
    files = sorted(tmp_path.glob("wandb/offline-run-*/run-*.wandb"))
    assert {file.stem for file in files} == {f"run-{facts['id']}"}


def test_nothing_is_imported_unless_asked_for(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)  # an import fails
    before = {"wandb": {"project": "coords", "id": "abc"}}
    with tracked(small_config(), tmp_path, None, before) as told:
        assert told == before
    with tracked(small_config(), tmp_path, None, None) as told:
        assert told == {}
    with (
        pytest.raises(InputError, match=r"pip install 'coordconv_rl\[wandb\]'$"),
        tracked(small_config(), tmp_path, "coords", None),
    ):
        pass
