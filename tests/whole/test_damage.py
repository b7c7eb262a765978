"""Each file of a run, damaged in each way, met by each command: clean, named, never lost.

A command either does its work, or says one line and exits with 2; what it refused it has not
changed, and nothing outside of the folder is ever written, cut, locked or removed.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from folders import reopen

from coordconv_rl.agents.train import train_agent
from coordconv_rl.agents.training.checkpoint import mark_best
from coordconv_rl.cli.main import main
from coordconv_rl.comparison import plan
from coordconv_rl.comparison.launch import ledger
from coordconv_rl.comparison.report import write_report
from coordconv_rl.comparison.results import read_results
from coordconv_rl.configs import Evaluation, ExperimentConfig, to_yaml
from coordconv_rl.errors import InputError

SETTINGS = {"n_envs": 2, "n_steps": 16, "batch_size": 16, "n_epochs": 1}
EXPERIMENT = ExperimentConfig(
    name="small", description="", algos=("ppo",), arms=("cnn", "coordconv"), games=("Breakout",),
    seeds=(1,), steps=64, overrides={"ppo": SETTINGS}, checkpoint_minutes=0.0, screen_size=44,
    evaluation=Evaluation(episodes=1, greedy=False),
)  # fmt: skip
RUN = "ppo/Breakout/coordconv/seed-1"
CHECKPOINT = "checkpoints/step-000000000064.safetensors"
FILES = ("run.json", "episodes.csv", "evaluation.json", "config.yaml", "checkpoints/best.json",
         CHECKPOINT)  # fmt: skip
DAMAGE = ("cut", "emptied", "noise", "changed", "folder", "link out", "gone")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A comparison of two runs that are done."""
    folder = tmp_path_factory.mktemp("whole") / "small"
    plan.write_experiment(folder, EXPERIMENT)
    configs = plan.expand(EXPERIMENT)
    for config in configs:
        train_agent(config, folder / config.run_id)
    with ledger.Ledger(folder, [config.run_id for config in configs]) as held:
        for config in configs:
            held.update(config.run_id, status="done", attempts=1)
    mark_best(folder / RUN, 64, 1.0)  # as if a game had been over by then
    return folder


@pytest.fixture
def comparison(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "small")
    return tmp_path / "small"


def content(folder: Path) -> dict[str, bytes | None]:
    """Every file and folder below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def hurt(path: Path, how: str, outside: Path) -> None:
    """Damage a file; `outside` is what a link leads to."""
    data = path.read_bytes()
    if how == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif how == "emptied":
        path.write_bytes(b"")
    elif how == "noise":
        path.write_bytes(b"\xff\x00{[" * 50)
    elif how == "changed":
        at = data.rfind(b"1")
        path.write_bytes(data[:at] + b"7" + data[at + 1 :])
    else:
        path.unlink()
        if how == "folder":
            path.mkdir()
        elif how == "link out":
            outside.write_bytes(data)
            path.symlink_to(outside)


def call(capfd, *words: object) -> int:
    """Call a command; check that what it refuses is one line."""
    code = main([str(word) for word in words])
    said = capfd.readouterr().err
    assert "Traceback" not in said
    assert code in (0, 2), said
    if code == 2:
        assert said.splitlines()[-1].startswith("error: "), said
        assert said.count("error: ") == 1
    return code


@pytest.mark.parametrize("how", DAMAGE)
@pytest.mark.parametrize("name", FILES)
def test_a_run_that_was_killed_and_damaged_is_refused_or_goes_on(
    comparison, tmp_path, capfd, monkeypatch, name, how
):
    run, outside = comparison / RUN, tmp_path / "outside"
    reopen(run)
    if name == "run.json" and how == "changed":
        pytest.skip("a killed run's record here has no seal")
    hurt(run / name, how, outside)
    before, kept = content(run), outside.read_bytes() if outside.exists() else None
    code = call(capfd, "train", "--resume", run)
    if code == 2:
        assert content(run) == {**before, **lock_of(run)}
    else:  # what can be made again: a record, an evaluation, the mark of the best
        assert how == "gone"
        assert json.loads((run / "run.json").read_text())["status"] == "done"
    assert kept is None or outside.read_bytes() == kept


@pytest.mark.parametrize("how", DAMAGE)
@pytest.mark.parametrize("name", ["config.yaml", CHECKPOINT])
def test_what_opens_an_agent_refuses_a_damaged_one(comparison, tmp_path, capfd, name, how):
    run, outside = comparison / RUN, tmp_path / "outside"
    hurt(run / name, how, outside)
    if how == "link out" or (name, how) == ("config.yaml", "changed"):
        pytest.skip("what is only read may be anywhere, and a configuration has no seal")
    before = content(tmp_path)
    assert call(capfd, "evaluate", run, "--episodes", 1) == 2
    assert call(capfd, "inspect", run, "--episodes", 1) == 2
    assert call(capfd, "watch", run, "--video", tmp_path / "film.gif") == 2
    assert call(capfd, "export-sb3", run, tmp_path / "agent.zip") == 2
    assert content(tmp_path) == before


def lock_of(run: Path) -> dict[str, bytes]:
    return {"run.lock": (run / "run.lock").read_bytes()} if (run / "run.lock").exists() else {}


@pytest.mark.parametrize("how", DAMAGE)
@pytest.mark.parametrize("name", ["run.json", "episodes.csv", "evaluation.json", "config.yaml"])
def test_a_report_names_and_leaves_out_what_is_not_whole(comparison, tmp_path, name, how):
    run = comparison / RUN
    hurt(run / name, how, tmp_path / "outside")
    if name == "run.json":
        if how == "gone":  # then nothing says what the others were like
            assert not {r.arm: r for r in read_results(comparison).runs}["coordconv"].is_checked
            return
        if how != "changed":
            with pytest.raises(InputError, match=r"run\.json is damaged"):
                read_results(comparison)
            return
    found = {result.arm: result for result in read_results(comparison).runs}
    assert found["cnn"].status == "done"
    assert found["coordconv"].status == "not whole"
    assert name in (found["coordconv"].reason or "")
    assert found["coordconv"].evaluation is None
    assert len(found["coordconv"].episodes) == 0


def test_the_page_counts_what_is_left_out(comparison):
    path = comparison / RUN / "episodes.csv"
    path.write_bytes(path.read_bytes() + b"64,1,400,1\n")
    html = write_report(comparison).read_text()
    assert re.search(r"1 of 2 runs \w+ done \(1 not whole\)", html)
    assert "episodes.csv has" in html


@pytest.mark.parametrize("number", ["1e999", "NaN", "true", "1" * 400, '"7"', "-1"])
@pytest.mark.parametrize("field", ["step", "seconds", "attempts", "steps_per_second", "parameters"])
def test_numbers_that_do_not_fit_are_refused_by_resume_and_report(comparison, capfd, field, number):
    run = comparison / RUN
    reopen(run)
    record = json.loads((run / "run.json").read_text()) | {field: "@"}
    (run / "run.json").write_text(json.dumps(record).replace('"@"', number))
    before = content(comparison)
    assert call(capfd, "train", "--resume", run) == 2
    assert call(capfd, "report", comparison) == 2
    assert content(comparison) == before


@pytest.mark.parametrize(
    "text",
    [
        '{"step": 32, "score": 1.0}',
        '{"step": 1e999, "score": 1}',
        '{"step": 64, "score": NaN}',
        "[]",
        '{"step": true, "score": 1}',
    ],
)
def test_a_mark_of_the_best_that_makes_no_sense_removes_no_checkpoint(comparison, capfd, text):
    run = comparison / RUN
    reopen(run)
    (run / "checkpoints" / "best.json").write_text(text)
    before = content(run)
    assert call(capfd, "train", "--resume", run) == 2
    assert content(run) == before


def test_a_file_for_a_folder_is_refused_before_anything_changes(comparison, capfd):
    for name in ("checkpoints", "evaluations"):
        run = comparison / RUN
        reopen(run)
        shutil.rmtree(run / name, ignore_errors=True)
        (run / name).write_text("a file")
        before = content(run)
        assert call(capfd, "train", "--resume", run) == 2
        assert call(capfd, "evaluate", run, "--episodes", 1) == 2
        assert content(run) == before
        (run / name).unlink()


@pytest.mark.parametrize("link", ["checkpoints", "run.lock", "evaluations", "log.txt"])
def test_a_link_out_of_a_run_is_never_followed(comparison, tmp_path, capfd, link):
    run, outside = comparison / RUN, tmp_path / "outside"
    reopen(run)
    if (run / link).is_dir():
        shutil.move(run / link, outside)
    elif link == "evaluations":
        outside.mkdir()
    else:
        outside.write_text("mine")
        (run / link).unlink(missing_ok=True)
    (run / link).symlink_to(outside)
    before = content(tmp_path)
    assert call(capfd, "train", "--resume", run) == 2
    assert call(capfd, "evaluate", run, "--episodes", 1) == 2
    assert call(capfd, "inspect", run, "--episodes", 1) == 2
    assert content(tmp_path) == before


@pytest.mark.parametrize("link", ["report", "ledger.lock", "ledger.jsonl", "by-arm", RUN])
def test_a_link_out_of_a_comparison_is_never_followed(comparison, tmp_path, capfd, link):
    outside = tmp_path / "outside"
    path = comparison / link
    if path.exists():
        shutil.move(path, outside)
    elif link == "ledger.lock":
        outside.write_text("mine")
    else:
        outside.mkdir()
    path.symlink_to(outside)
    (tmp_path / "mine.yaml").write_text(to_yaml(EXPERIMENT))
    before = content(tmp_path)
    assert call(capfd, "report", comparison) == 2
    assert call(capfd, "compare", tmp_path / "mine.yaml", "--folder", comparison) == 2
    assert content(tmp_path) == before


def test_a_finished_run_stays_as_it_is(comparison, caplog):
    caplog.set_level("INFO")
    run = comparison / RUN
    before = content(run)
    assert main(["train", "--resume", str(run)]) == 0
    assert "is finished: nothing is left to do" in caplog.text
    assert content(run) == before


def test_an_evaluation_by_hand_is_a_record_of_its_own(comparison, capfd):
    run = comparison / RUN
    before = content(run)
    scores = [result.evaluation for result in read_results(comparison).runs]
    assert call(capfd, "evaluate", run, "--episodes", 1, "--seed", 3, "--no-greedy") == 0
    after = content(run)
    (new,) = set(after) - set(before) - {"evaluations"}
    assert new == "evaluations/step-64-seed-3-games-1-sampled.json"
    assert {name: after[name] for name in before} == before
    found = json.loads((run / new).read_text())
    assert (found["step"], found["seed"], found["episodes"]) == (64, 3, 1)
    assert [result.evaluation for result in read_results(comparison).runs] == scores


def test_an_evaluation_that_is_gone_is_played_again_and_is_the_same(comparison, caplog):
    path = comparison / RUN / "evaluation.json"
    before = path.read_bytes()
    path.unlink()
    assert main(["train", "--resume", str(path.parent)]) == 0
    assert "differs" not in caplog.text
    assert path.read_bytes() == before
    assert read_results(comparison).runs[-1].status == "done"


def test_what_a_kill_left_of_half_written_files_is_cleared(comparison, capfd):
    run = comparison / RUN
    reopen(run)
    halves = [run / ".run.json.12.tmp", run / "checkpoints" / ".best.json.7.tmp",
              run / "checkpoints" / ".step-000000000096.safetensors.1.tmp"]  # fmt: skip
    for half in halves:
        half.write_bytes(b"half")
    other = run / ".mine.tmp"
    other.touch()
    assert main(["train", "--resume", str(run)]) == 0
    assert not [half for half in halves if half.exists()]
    assert other.exists()
