"""An export: small, whole, told apart from what was damaged; report, TensorBoard, growth on it."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
from light_worker import attempts, experiment, run_experiment
from synthetic import make_experiment, write_inspection

from coordconv_rl.comparison import export
from coordconv_rl.comparison.export import export_comparison
from coordconv_rl.comparison.report import write_report
from coordconv_rl.comparison.results import read_results
from coordconv_rl.comparison.tensorboard import Aggregates
from coordconv_rl.errors import InputError


@pytest.fixture
def folder(tmp_path):
    """A made-up comparison with a checkpoint of 2 MB for each run."""
    made = tmp_path / "whole"
    make_experiment(made, games=("Pong",), seeds=(1, 2, 3))
    write_inspection(made, ("ppo", "Pong", "coordconv", 1))
    for run in read_results(made).runs:
        (run.folder / "checkpoints").mkdir(exist_ok=True)
        (run.folder / "checkpoints" / "000000100000.safetensors").write_bytes(b"0" * 2_000_000)
        (run.folder / "log.txt").write_text("said")
    return made


def test_it_is_small_and_its_report_is_the_same(folder, tmp_path):
    done = export_comparison(folder, tmp_path / "out")
    assert (done.done, done.planned) == (9, 9)
    assert done.bytes < 0.02 * done.whole
    assert f"9 of 9 runs done; {done.files} files" in str(done)
    assert not list((tmp_path / "out").rglob("checkpoints"))
    assert not list((tmp_path / "out").rglob("log.txt"))
    for place in (folder, tmp_path / "out"):
        write_report(place)
    for name in ("runs.csv", "pairs.csv", "learning_curves.csv", "inspection_ppo_Pong.png"):
        first, second = ((place / "report" / name).read_bytes() for place in (folder, done.folder))
        assert first == second


def test_its_digests_are_those_of_sha256sum_and_show_damage(folder, tmp_path):
    out = export_comparison(folder, tmp_path / "out").folder
    check = ["sha256sum", "--check", "--quiet", "SHA256SUMS"]
    assert subprocess.run(check, cwd=out, check=False).returncode == 0
    path = out / "ppo/Pong/cnn/seed-1/episodes.csv.bz2"
    path.write_bytes(path.read_bytes()[:-20])
    assert subprocess.run(check, cwd=out, check=False, capture_output=True).returncode == 1


def test_an_export_of_an_export_is_the_same(folder, tmp_path):
    once = export_comparison(folder, tmp_path / "once").folder
    again = export_comparison(once, tmp_path / "again").folder
    assert (again / "SHA256SUMS").read_bytes() == (once / "SHA256SUMS").read_bytes()
    assert not list(again.rglob("episodes.csv"))


def test_a_run_that_goes_on_is_not_packed(folder, tmp_path):
    run = folder / "ppo/Pong/cnn/seed-1"
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(record | {"status": "interrupted"}))
    out = export_comparison(folder, tmp_path / "out").folder / "ppo/Pong/cnn/seed-1"
    assert (out / "episodes.csv").read_bytes() == (run / "episodes.csv").read_bytes()
    assert not (out / "episodes.csv.bz2").exists()


def test_it_holds_nothing_that_tensorboard_draws_again(folder, tmp_path):
    with Aggregates(folder) as aggregates:
        aggregates.update((), now=True)
    out = export_comparison(folder, tmp_path / "out").folder
    assert list(folder.rglob("*tfevents*"))
    assert not list(out.rglob("*tfevents*"))
    assert not (out / "by-arm").exists()


def test_a_comparison_grows_from_its_export(folder_of_light_workers, tmp_path):
    assert run_experiment(experiment(seeds=(0,)), folder_of_light_workers) == 0
    out = export_comparison(folder_of_light_workers, tmp_path / "out").folder
    assert not (out / "ppo/Pong/cnn/seed-0/attempts").exists()
    assert run_experiment(experiment(), out) == 0
    assert {run.status for run in read_results(out).runs} == {"done"}
    assert not (out / "ppo/Pong/cnn/seed-0/attempts").exists()  # it was not trained again
    assert attempts(out, "ppo/Pong/cnn/seed-1") == 1


def test_bad_destinations_and_links_to_outside_are_refused(folder, tmp_path):
    with pytest.raises(InputError, match="holds no experiment"):
        export_comparison(tmp_path, tmp_path / "out")
    with pytest.raises(InputError, match="exists: name a folder that does not"):
        export_comparison(folder, tmp_path)
    with pytest.raises(InputError, match="is inside"):
        export_comparison(folder, folder / "out")
    (tmp_path / "secret.json").write_text('{"run": 1}')
    (folder / "ppo/Pong/cnn/seed-1/evaluation-at-5.json").symlink_to(tmp_path / "secret.json")
    with pytest.raises(InputError, match="is a link to outside"):
        export_comparison(folder, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret.json", "whole"]


def test_one_that_breaks_off_leaves_nothing_and_the_next_clears_what_a_kill_left(
    folder, tmp_path, monkeypatch
):
    (tmp_path / ".out.part").mkdir()
    (tmp_path / ".out.part" / "left").write_text("")

    def full(self):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(export.os, "sync", lambda: full(None))
        with pytest.raises(InputError, match="No space left on device"):
            export_comparison(folder, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]
    shutil.rmtree(export_comparison(folder, tmp_path / "out").folder)


def test_a_run_that_was_made_anew_in_an_export_is_exported_as_it_is(folder, tmp_path):
    once = export_comparison(folder, tmp_path / "once").folder
    run = "ppo/Pong/cnn/seed-1"
    shutil.copy(folder / run / "episodes.csv", once / run)  # as a training leaves both
    packed = once / run / "episodes.csv.bz2"
    packed.write_bytes((once / "ppo/Pong/cnn/seed-2/episodes.csv.bz2").read_bytes())
    again = export_comparison(once, tmp_path / "again").folder
    assert (again / run / "episodes.csv.bz2").read_bytes() != packed.read_bytes()
    assert {one.status for one in read_results(again).runs} == {"done"}
    check = ["sha256sum", "--check", "--quiet", "SHA256SUMS"]
    assert subprocess.run(check, cwd=again, check=False).returncode == 0
