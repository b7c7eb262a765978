from __future__ import annotations

import dataclasses
import os

import pytest

from coordconv_rl import locks
from coordconv_rl.configs import Evaluation, load_run
from coordconv_rl.errors import InputError
from coordconv_rl.runs import (
    PARENT_VARIABLE,
    NotWhole,
    RunRecord,
    check_folder,
    hold_run,
    is_finished,
    lengthen_run,
    look_at_run,
    prepare_run,
    read_record,
    sum_of,
    write_evaluation,
)


@pytest.fixture
def config(small_run):
    return small_run(steps=64, evaluation=Evaluation(episodes=1))


@pytest.fixture
def done(config, tmp_path):
    """The folder of a run that is done, below its experiment's."""
    folder = tmp_path / config.run_id
    prepare_run(folder, config)
    stochastic = {"scores": [1.0], "mean": 1.0}
    data = write_evaluation(folder / "evaluation.json", {"stochastic": stochastic})
    record = RunRecord(folder, {"run": config.run_id, "step": 64, "steps": 64})
    sums = {"evaluation.json": sum_of(data)}
    record.write(sums=sums | {"config.yaml": sum_of((folder / "config.yaml").read_bytes())})
    record.end("done")
    return folder


def test_a_folder_is_made_once_and_recognised(config, tmp_path):
    prepare_run(tmp_path / "run", config)
    assert load_run(tmp_path / "run" / "config.yaml") == config
    prepare_run(tmp_path / "run", config)
    RunRecord(tmp_path / "run", {"run": config.run_id, "step": 0, "steps": 64}).write()
    with pytest.raises(InputError, match="holds a run with other settings"):
        prepare_run(tmp_path / "run", dataclasses.replace(config, seed=2))


def test_what_never_began_gives_way_to_settings_that_were_mended(config, tmp_path):
    prepare_run(tmp_path, dataclasses.replace(config, device="cuda"))
    with hold_run(tmp_path), pytest.raises(InputError, match="is in use by"):
        prepare_run(tmp_path, config)
    prepare_run(tmp_path, config)
    assert load_run(tmp_path / "config.yaml") == config
    (tmp_path / "episodes.csv.bz2").write_bytes(b"of an export whose record is gone")
    with pytest.raises(InputError, match="holds a run with other settings"):
        prepare_run(tmp_path, dataclasses.replace(config, seed=2))


def test_a_run_is_finished_with_all_its_files_as_they_were(config, done, tmp_path):
    assert is_finished(tmp_path, config)
    assert look_at_run(done, config) == read_record(done)
    path = done / "evaluation.json"
    data = path.read_bytes()
    path.write_bytes(data.replace(b"1.0", b"9.0"))
    assert not is_finished(tmp_path, config)
    with pytest.raises(NotWhole, match=r"evaluation\.json was changed"):
        look_at_run(done, config)
    path.unlink()  # it can be played again
    assert not is_finished(tmp_path, config)
    look_at_run(done, config)
    path.write_bytes(data)
    assert is_finished(tmp_path, config)


def test_a_lengthened_run_goes_on_and_keeps_what_it_scored(config, done, tmp_path):
    longer = dataclasses.replace(config, steps=128)
    lengthen_run(done, longer)
    assert (done / "evaluation-at-64.json").is_file()
    assert not is_finished(tmp_path, longer)
    look_at_run(done, longer)  # nothing is missing
    assert load_run(done / "config.yaml") == longer


def test_the_record_of_another_run_is_refused(config, done):
    with pytest.raises(InputError, match="two are mixed"):
        look_at_run(done, dataclasses.replace(config, seed=7))


@pytest.mark.parametrize("name", ["run.json", "checkpoints/best.json", "log.txt",
                                  "checkpoints/step-000000000064.safetensors"])  # fmt: skip
def test_a_folder_in_place_of_a_file_is_refused(tmp_path, name):
    (tmp_path / name).mkdir(parents=True)
    with pytest.raises(InputError, match="is no file, as it should be"):
        check_folder(tmp_path)


def test_one_process_at_a_time_holds_a_run_and_clears_halves(tmp_path, monkeypatch):
    half = tmp_path / ".run.json.5.tmp"
    half.touch()
    held = locks.acquire(tmp_path / "run.lock", "somebody")
    with pytest.raises(InputError, match="is being trained by somebody"), hold_run(tmp_path):
        pass
    assert half.exists()
    monkeypatch.setenv(PARENT_VARIABLE, str(os.getppid()))  # the launcher holds it for us
    with hold_run(tmp_path):
        assert not half.exists()
    os.close(held)
    monkeypatch.delenv(PARENT_VARIABLE)
    with hold_run(tmp_path):
        pass
