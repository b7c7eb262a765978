from __future__ import annotations

import pytest

from coordconv_rl.errors import InputError
from coordconv_rl.runs import EpisodeLog, NotWhole, RunRecord, read_run

RUN = "ppo/Pong/cnn/seed-1"


def test_a_run_without_files_has_nothing(tmp_path):
    found = read_run(tmp_path / "none", RUN)
    assert (found.record, found.evaluation, found.inspection) == (None, None, None)
    assert len(found.episodes) == 0


def test_files_are_compared_with_what_the_record_says(tmp_path):
    log = EpisodeLog(tmp_path / "episodes.csv")
    log.add(10, 1.0, 400, True)
    log.close()
    record = RunRecord(tmp_path, {"run": RUN, "step": 10, "steps": 10})
    record.write(sums={"episodes.csv": log.sum})
    record.end("done")
    assert read_run(tmp_path, RUN).episodes["score"].tolist() == [1.0]
    with pytest.raises(InputError, match="belongs to the run"):
        read_run(tmp_path, "ppo/Pong/cnn/seed-2")
    (tmp_path / "episodes.csv").write_bytes(b"")
    with pytest.raises(NotWhole, match="has 0 of 1 rows"):
        read_run(tmp_path, RUN)
