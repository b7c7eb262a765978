from __future__ import annotations

import json

import pytest

from coordconv_rl.errors import InputError
from coordconv_rl.runs import NotWhole, RunRecord, peek_record, read_record, sum_of
from coordconv_rl.runs.record import forget_sums

FACTS = {"run": "ppo/Pong/cnn/seed-1", "step": 0, "steps": 100}


def test_what_is_written_is_read(tmp_path):
    record = RunRecord(tmp_path, FACTS)
    assert not (tmp_path / "run.json").exists()  # nothing before it is asked for
    record.write(step=40, seconds=2.5, recent_score=None, sums={"episodes.csv": sum_of(b"x", 0)})
    record.end("interrupted", "SIGINT was received")
    found = read_record(tmp_path)
    assert found is not None
    assert found["files"]["episodes.csv"]["bytes"] == 1
    assert (found["status"], found["step"], found["attempts"]) == ("interrupted", 40, 1)
    assert {"versions", "machine", "commit", "command", "host", "pid"} <= set(found)
    again = RunRecord(tmp_path, FACTS, found)
    again.write()
    assert (again.fields["attempts"], again.seconds_before) == (2, 2.5)
    assert again.fields["started"] == found["started"]
    assert again.fields["files"] == found["files"]


@pytest.mark.parametrize("name", ["step", "steps", "attempts", "episodes", "parameters", "pid"])
@pytest.mark.parametrize("value", ["true", "1.5", "-1", '"7"', "1e999", "NaN", str(10**400)])
def test_every_whole_number_is_looked_at(tmp_path, name, value):
    text = json.dumps(FACTS | {"status": "done", name: "@"}).replace('"@"', value)
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(InputError, match=r"run\.json is damaged") as caught:
        read_record(tmp_path)
    assert "\n" not in str(caught.value)
    assert peek_record(tmp_path) is None


@pytest.mark.parametrize("name", ["seconds", "steps_per_second", "recent_score"])
@pytest.mark.parametrize("value", ["true", '"7"', "1e999", "NaN", str(10**400)])
def test_every_real_number_is_looked_at(tmp_path, name, value):
    text = json.dumps(FACTS | {"status": "done", name: "@"}).replace('"@"', value)
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(InputError, match=r"run\.json is damaged"):
        read_record(tmp_path)


def test_a_record_that_was_changed_is_not_whole(tmp_path):
    RunRecord(tmp_path, FACTS).end("done")
    path = tmp_path / "run.json"
    path.write_text(path.read_text().replace('"steps": 100', '"steps": 10'))
    with pytest.raises(NotWhole):
        read_record(tmp_path)


def test_sums_can_be_forgotten_before_files_change(tmp_path):
    record = RunRecord(tmp_path, FACTS)
    record.write(sums={"episodes.csv": sum_of(b"x", 0), "config.yaml": sum_of(b"y")})
    forget_sums(tmp_path, ["config.yaml"])
    found = read_record(tmp_path)
    assert found is not None
    assert set(found["files"]) == {"episodes.csv"}
