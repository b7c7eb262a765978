"""One run: its folder, its determinism, kills and exact resumption, what it refuses."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import random
import signal
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import forked
import pytest
import torch
from devices import DEVICES
from folders import reopen
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from waiting import LIMIT

from coordconv_rl.agents.loading import load_agent
from coordconv_rl.agents.train import train_agent
from coordconv_rl.agents.training.checkpoint import list_checkpoints, load_checkpoint
from coordconv_rl.configs.load import load_run
from coordconv_rl.configs.schema import Evaluation, RunConfig
from coordconv_rl.envs import ImageGame
from coordconv_rl.errors import InputError
from coordconv_rl.runs import PARENT_VARIABLE, prepare_run, read_episodes, read_record
from coordconv_rl.runs.reading import seal_of
from coordconv_rl.sb3.policy import CoordConvPolicy


def weights(folder: Path) -> dict[str, bytes]:
    tensors = load_checkpoint(list_checkpoints(folder)[0]).tensors
    names = [name for name in tensors if name.startswith(("policy/", "optimizer/"))]
    return {name: tensors[name].view(-1).numpy().tobytes() for name in names}


def start(folder: Path, said: tuple[Path, Path] | None = None) -> BaseProcess:
    return forked.start("train", "--resume", folder, folder=folder, said=said)


def threads_in(method: str, monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Collect the numbers of torch's threads at the policy's calls of a method."""
    original = getattr(CoordConvPolicy, method)
    seen: set[int] = set()

    def noting(*args, **kwargs):
        seen.add(torch.get_num_threads())
        return original(*args, **kwargs)

    monkeypatch.setattr(CoordConvPolicy, method, noting)
    return seen


def wait_for_checkpoint(folder: Path, process: BaseProcess, after: int = 0) -> None:
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline and process.is_alive():
        steps = [int(path.stem.removeprefix("step-")) for path in list_checkpoints(folder)]
        if max(steps, default=0) > after:
            return
        time.sleep(0.01)
    if process.is_alive():
        process.kill()
        raise AssertionError("no checkpoint within 120 seconds")


def test_run_folder(tmp_path, small_run):
    config = small_run(evaluation=Evaluation(episodes=2, greedy=False), checkpoint_minutes=5.0)
    folder = tmp_path / "runs" / "mine" / config.run_id
    record = train_agent(config, folder)
    assert load_run(folder / "config.yaml") == config
    assert read_record(folder) == record | {"sha256": seal_of(record)}
    assert record["status"] == "done"
    assert (record["run"], record["experiment"]) == (config.run_id, "mine")
    assert (record["step"], record["steps"], record["attempts"]) == (256, 256, 1)
    assert record["parameter_counts"]["coordinates"] == 32 * 2 * 8 * 8
    evaluation = json.loads((folder / "evaluation.json").read_text())
    assert len(evaluation["stochastic"]["scores"]) == 2
    assert evaluation["greedy"] is None
    assert evaluation["step"] == 256
    assert len(list_checkpoints(folder)) == 1
    events = EventAccumulator(str(folder))
    events.Reload()
    assert {"train/loss", "time/fps"} <= set(events.Tags()["scalars"])
    assert not [path for path in folder.rglob("*") if path.suffix == ".tmp"]


def test_episodes_hold_whole_games(tmp_path, small_run):
    config = small_run("a2c", steps=800, checkpoint_minutes=60.0)
    train_agent(config, tmp_path)
    rows = list(csv.DictReader((tmp_path / "episodes.csv").open()))
    assert rows
    assert all(int(row["life_loss"]) == 1 for row in rows)
    assert all(int(row["frames"]) > 100 for row in rows)
    steps = [int(row["step"]) for row in rows]
    assert steps == sorted(steps)
    assert steps[-1] <= 800


@pytest.mark.parametrize("algo", ["a2c", "ppo"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("device", DEVICES)
def test_same_seed_same_weights(tmp_path, small_run, algo, precision, device):
    config = small_run(algo, precision=precision, steps=64, device=device)
    for name in ("one", "two"):
        train_agent(config, tmp_path / name)
    assert weights(tmp_path / "one") == weights(tmp_path / "two")
    train_agent(dataclasses.replace(config, seed=2), tmp_path / "other")
    assert weights(tmp_path / "one") != weights(tmp_path / "other")


@pytest.mark.parametrize(("workers", "acting"), [(0, 2), (1, 2), (2, 1)])
def test_threads_rest_while_other_processes_play(tmp_path, small_run, monkeypatch, workers, acting):
    """One thread acts beside the processes that play, both learn, and the weights repeat."""
    seen = {name: threads_in(name, monkeypatch) for name in ("forward", "evaluate_actions")}
    before = torch.get_num_threads()
    try:
        for name in ("one", "two"):
            train_agent(small_run(threads=2, workers=workers, steps=32), tmp_path / name)
            assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert seen == {"forward": {acting}, "evaluate_actions": {2}}
    assert weights(tmp_path / "one") == weights(tmp_path / "two")


@pytest.mark.parametrize(("algo", "workers"), [("a2c", 2), ("ppo", 0), ("ppo", 2), ("a2c", 0)])
@pytest.mark.parametrize("device", DEVICES)
def test_killed_and_resumed_is_the_same_run(tmp_path, small_run, algo, workers, device):
    config: RunConfig = small_run(algo, steps=288, workers=workers, device=device)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    train_agent(dataclasses.replace(config, checkpoint_minutes=60.0), whole)
    prepare_run(killed, config)
    moments = random.Random(algo + str(workers))
    last = 0
    for _ in range(2):
        process = start(killed)
        wait_for_checkpoint(killed, process, after=last)
        time.sleep(moments.random() / 8)
        process.kill()
        process.join(LIMIT)
        last = int(list_checkpoints(killed)[0].stem.removeprefix("step-"))
    last_one = start(killed)
    last_one.join(LIMIT)
    assert last_one.exitcode == 0
    assert weights(killed) == weights(whole)
    assert (killed / "episodes.csv").read_bytes() == (whole / "episodes.csv").read_bytes()
    assert json.loads((killed / "run.json").read_text())["attempts"] == 3
    events = EventAccumulator(str(killed))
    events.Reload()
    steps = [point.step for point in events.Scalars("train/value_loss")]
    assert steps == sorted(set(steps))


def test_interrupt_saves_and_says_how_to_go_on(tmp_path, small_run):
    run, said = tmp_path / "run", (tmp_path / "stdout", tmp_path / "stderr")
    prepare_run(run, small_run(steps=1_000_000, checkpoint_minutes=60.0))
    process = start(run, said)
    deadline = time.monotonic() + LIMIT
    while not (run / "episodes.csv").is_file() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGINT)
    process.join(LIMIT)
    assert process.exitcode == 130
    assert f"--resume {run}" in said[1].read_text()
    assert len(list_checkpoints(run)) == 1
    record = json.loads((run / "run.json").read_text())
    assert (record["status"], record["reason"]) == ("interrupted", "SIGINT was received")


def test_stops_when_its_launcher_is_gone(tmp_path, small_run, monkeypatch):
    from coordconv_rl.agents.training.stopping import Interrupted

    monkeypatch.setenv(PARENT_VARIABLE, str(os.getpid()))
    with pytest.raises(Interrupted, match="launcher is gone"):
        train_agent(small_run(), tmp_path)
    assert len(list_checkpoints(tmp_path)) == 1


def test_damaged_checkpoint_is_passed_over(tmp_path, small_run, caplog):
    config = small_run(steps=128)
    whole, damaged = tmp_path / "whole", tmp_path / "damaged"
    train_agent(config, whole)
    prepare_run(damaged, dataclasses.replace(config, steps=128))
    process = start(damaged)
    wait_for_checkpoint(damaged, process, after=32)
    process.kill()
    process.join(LIMIT)
    newest, *older = list_checkpoints(damaged)
    assert older
    newest.write_bytes(newest.read_bytes()[:1000])
    train_agent(config, damaged)
    assert f"passed over: {newest}" in caplog.text
    assert weights(damaged) == weights(whole)


def test_all_checkpoints_damaged_is_refused(tmp_path, small_run):
    config = small_run(steps=32)
    train_agent(config, tmp_path)
    reopen(tmp_path)
    for path in list_checkpoints(tmp_path):
        path.write_bytes(b"")
    with pytest.raises(InputError, match="is whole"):
        train_agent(config, tmp_path)


def test_other_settings_in_the_same_folder_are_refused(tmp_path, small_run):
    train_agent(small_run(steps=32), tmp_path)
    with pytest.raises(InputError, match="other settings"):
        train_agent(small_run(steps=64), tmp_path)


def test_agent_of_another_architecture_is_refused(tmp_path, small_run):
    train_agent(small_run(steps=32), tmp_path)
    path = tmp_path / "config.yaml"
    path.write_text(path.read_text().replace("arm: coordconv", "arm: cnn"))
    with pytest.raises(InputError, match="another network"):
        load_agent(tmp_path)


def test_diverged_run_fails_with_its_reason(tmp_path, small_run):
    config = small_run(steps=640)
    settings = dataclasses.replace(
        config.hyperparameters, learning_rate=1e30, schedule="constant", max_grad_norm=1e30
    )
    with pytest.raises((ValueError, RuntimeError)):
        train_agent(dataclasses.replace(config, hyperparameters=settings), tmp_path)
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["status"] == "failed"
    assert record["reason"]


def test_a_game_whose_scores_are_no_numbers_fails_with_its_reason(tmp_path, small_run):
    game = ImageGame("image_games:dot", {"worth": 1e30})
    with pytest.raises(InputError, match="a game ended with the score"):
        train_agent(small_run(game="dots", environment=game, steps=640), tmp_path)
    record = read_record(tmp_path)
    assert record["status"] == "failed"
    assert "look at the rewards that the game gives" in record["reason"]
    assert (read_episodes(tmp_path / "episodes.csv")["score"] == 0).all()  # games without a point


def test_agents_are_judged_in_what_training_has_not_seen(tmp_path, small_run):
    game = ImageGame("image_games:dot", {"worth": 1.0}, evaluation_kwargs={"worth": 100.0})
    config = small_run(game="dots", environment=game, evaluation=Evaluation(episodes=3))
    train_agent(config, tmp_path)
    assert set(read_episodes(tmp_path / "episodes.csv")["score"]) <= set(range(9))
    scores = json.loads((tmp_path / "evaluation.json").read_text())["stochastic"]["scores"]
    assert all(score % 100 == 0 for score in scores)
    assert max(scores) > 8
    assert load_run(tmp_path / "config.yaml").environment == game
    said = json.loads((tmp_path / "evaluation.json").read_text())["evaluation_kwargs"]
    assert said == {"worth": 100.0}


def test_a_game_that_keeps_its_settings_for_all_is_trained_with_trainings(tmp_path, small_run):
    game = ImageGame("image_games:shared_dot", {"worth": 1.0}, evaluation_kwargs={"worth": 100.0})
    config = small_run(game="dots", environment=game, evaluation=Evaluation(episodes=1))
    train_agent(config, tmp_path)
    assert set(read_episodes(tmp_path / "episodes.csv")["score"]) <= set(range(9))


def test_what_an_agent_cannot_be_judged_in_is_refused_before_it_trains(tmp_path, small_run):
    game = ImageGame("image_games:dot", evaluation_kwargs={"images": "floats_first"})
    config = small_run(game="dots", environment=game, evaluation=Evaluation(episodes=1))
    with pytest.raises(InputError, match=r"dots: with evaluation_kwargs .*Observation spaces"):
        train_agent(config, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} <= {"run.lock"}


def test_a_run_that_never_began_leaves_its_folder_to_another(tmp_path, small_run):
    missing = small_run(game="dots", environment=ImageGame("no_such_module:dot"))
    with pytest.raises(InputError, match="cannot be imported"):
        train_agent(missing, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} <= {"run.lock"}
    assert train_agent(small_run(steps=32), tmp_path)["status"] == "done"


def test_finished_run_called_again_changes_nothing(tmp_path, small_run):
    config = small_run(steps=32)
    train_agent(config, tmp_path)
    before = weights(tmp_path), (tmp_path / "episodes.csv").read_bytes()
    record = train_agent(config, tmp_path)
    assert record["status"] == "done"
    assert (weights(tmp_path), (tmp_path / "episodes.csv").read_bytes()) == before


def test_evaluation_repeats(tmp_path, small_run):
    from coordconv_rl.agents.evaluate import play

    train_agent(small_run(steps=32), tmp_path)
    model, config, step = load_agent(tmp_path)
    assert step == 32
    before = torch.get_rng_state()
    first = play(model, config, 2, greedy=False, seed=7)
    assert play(model, config, 2, greedy=False, seed=7) == first
    assert torch.equal(torch.get_rng_state(), before)


def test_a_folder_takes_one_training_at_a_time(tmp_path, small_run):
    config = small_run(steps=100_000)
    prepare_run(tmp_path, config)
    process = start(tmp_path)
    try:
        wait_for_checkpoint(tmp_path, process)
        with pytest.raises(InputError, match=f"is being trained by process {process.pid} on "):
            train_agent(config, tmp_path)
    finally:
        process.kill()
        process.join(LIMIT)
