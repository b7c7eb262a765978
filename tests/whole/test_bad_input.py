"""What is damaged, foreign or hostile: one line, exit 2, nothing executed, nothing lost."""

from __future__ import annotations

import json
import pickle
import random
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import pytest
import torch
import yaml
from folders import reopen
from safetensors.torch import save
from synthetic import SMALL, make_experiment

from coordconv_rl.agents.train import train_agent
from coordconv_rl.agents.training.checkpoint import (
    FORMAT,
    VERSION,
    _digest,
    checkpoint_path,
    list_checkpoints,
    load_checkpoint,
    save_checkpoint,
)
from coordconv_rl.cli.main import main
from coordconv_rl.comparison.entries import read_ledger
from coordconv_rl.comparison.launch import ledger
from coordconv_rl.comparison.results import read_results
from coordconv_rl.configs.load import read_yaml
from coordconv_rl.errors import InputError
from coordconv_rl.runs import LEDGER_FILE, read_kept

RUN = "ppo/Pong/cnn/seed-2"
BOMB = "a: &a [1, 2]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(20)
)


def content(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Check that a command said one line about it and exited with 2."""
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("error: "), done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    for word in words:
        assert word in done.stderr


# Folders of experiments, as `report` meets them.
DAMAGE = [
    (f"{RUN}/episodes.csv", b"step,score\n\xff\xfe", "episodes.csv is damaged"),
    (f"{RUN}/run.json", b'{"format": 1, "run"', "run.json is damaged"),
    (f"{RUN}/run.json", b"[" * 100_000, "run.json is damaged"),
    (f"{RUN}/evaluation.json", b'{"stochastic": {"mean": 1e999}}', "evaluation.json is damaged"),
    ("ledger.jsonl", b"\x00\x01\n", "ledger.jsonl is damaged at line 1"),
    ("ledger.jsonl", b'{"run": "a2c/Breakout/cnn/seed-9"}\n', "two experiments are mixed"),
    ("ppo/Breakout/cnn/seed-9/run.json", b"{}", "two experiments are mixed"),
    ("experiment.yaml", b"name: [unclosed", "experiment.yaml is not valid YAML"),
    ("experiment.yaml", BOMB.encode(), "write its value out"),
    ("experiment.yaml", b"a: !!python/object/apply:os.mkdir ['ran']\n", "not valid YAML"),
]


@pytest.mark.parametrize(("name", "data", "why"), DAMAGE)
def test_a_report_of_damaged_files_is_refused(cli, tmp_path, name, data, why):
    folder = tmp_path / "runs"
    make_experiment(folder, **SMALL)
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    before = content(folder)
    refused(cli("report", "runs"), why)
    assert content(folder) == before
    assert not (tmp_path / "ran").exists()


def test_a_comparison_in_a_mixed_folder_is_refused_before_it_starts(cli, tmp_path):
    folder = tmp_path / "runs"
    make_experiment(folder, **SMALL)
    shutil.copy(folder / "experiment.yaml", tmp_path / "mine.yaml")
    (folder / RUN).rename(folder / "ppo/Pong/cnn/seed-77")
    before = content(folder)
    refused(cli("compare", "mine.yaml", "--folder", "runs"), "two experiments are mixed")
    assert content(folder) == before


def test_a_ledger_of_another_experiment_keeps_its_lines(tmp_path):
    line = b'{"run": "a2c/Breakout/cnn/seed-9", "status": "done"}\n'
    (tmp_path / LEDGER_FILE).write_bytes(line)
    with pytest.raises(InputError, match="two experiments are mixed"):
        ledger.Ledger(tmp_path, ["a"])
    assert (tmp_path / LEDGER_FILE).read_bytes() == line


@pytest.mark.parametrize(
    "values",
    [{"host": ["x"]}, {"reason": 5}, {"started": {}}, {"pid": "1"}, {"attempts": True}],
)
def test_a_ledger_of_wrong_types_is_damaged(tmp_path, values):
    (tmp_path / LEDGER_FILE).write_text(json.dumps({"run": "a"} | values) + "\n")
    with pytest.raises(InputError, match="damaged at line 1"):
        read_ledger(tmp_path)


EXPERIMENT = {
    "name": "mine", "description": "", "algos": ["ppo"], "arms": ["cnn"], "games": ["Pong"],
    "seeds": [0], "steps": 10,
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("name: a: b\n", "not valid YAML"),
        (yaml.safe_dump(EXPERIMENT | {"stepz": 3}), "did you mean steps"),
        (yaml.safe_dump(EXPERIMENT | {"steps": "many"}), "valid integer"),
        (yaml.safe_dump(EXPERIMENT) + "name: again\n", "'name' stands twice"),
        (yaml.safe_dump(EXPERIMENT | {"steps": 10**400}), "at most 999999999999"),
        (yaml.safe_dump(EXPERIMENT | {"description": "x"}) + "arms: *x\n", "not valid YAML"),
        (BOMB, "write its value out"),
        ("a: !!python/object/apply:os.mkdir ['ran']\n", "not valid YAML"),
    ],
)
def test_bad_yaml_on_the_command_line(cli, tmp_path, text, why):
    (tmp_path / "mine.yaml").write_text(text)
    refused(cli("compare", "mine.yaml", "--folder", "new"), why)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.yaml"]


@pytest.mark.parametrize("text", ["a: " + "9" * 5000, "a: 2026-13-45", "[" * 5000, "? [a]\n: 1"])
def test_yaml_that_breaks_the_parser_is_one_line(tmp_path, text):
    (tmp_path / "bad.yaml").write_text(text)
    with pytest.raises(InputError) as caught:
        read_yaml(tmp_path / "bad.yaml")
    assert "\n" not in str(caught.value)


def test_random_damage_is_an_input_error_or_nothing(tmp_path):
    make_experiment(tmp_path, games=("Pong",), seeds=(1, 2), arms=("cnn",))
    names = ["run.json", "evaluation.json", "episodes.csv"]
    files = [tmp_path / "ppo/Pong/cnn/seed-1" / name for name in names]
    files += [tmp_path / "ledger.jsonl", tmp_path / "experiment.yaml"]
    dice = random.Random(1)
    told = 0
    for path in files:
        whole = path.read_bytes()
        for _ in range(60):
            path.write_bytes(hurt(whole, dice))
            try:
                read_results(tmp_path)
            except InputError as error:
                told += str(error).count("\n") == 0
        path.write_bytes(whole)
    assert told > 150


def hurt(data: bytes, dice: random.Random) -> bytes:
    """Cut, fill or change a file somewhere."""
    at = dice.randrange(len(data))
    kind = dice.choice(["cut", "zeros", "noise", "twice"])
    if kind == "cut":
        return data[:at]
    if kind == "twice":
        return data[:at] + data[max(0, at - 9) :]
    middle = bytes(4) if kind == "zeros" else dice.randbytes(4)
    return data[:at] + middle + data[at + 4 :]


# Folders of one run.
@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A short run that is done."""
    from coordconv_rl.configs.load import preset
    from coordconv_rl.configs.schema import Evaluation, RunConfig

    folder = tmp_path_factory.mktemp("trained") / "run"
    settings = {"n_envs": 2, "n_steps": 16, "batch_size": 16, "n_epochs": 1}
    config = RunConfig(
        algo="ppo", game="Breakout", arm="coordconv", seed=1, steps=64, screen_size=44,
        hyperparameters=preset("ppo", settings), evaluation=Evaluation(episodes=0),
    )  # fmt: skip
    train_agent(config, folder)
    return config, folder


@pytest.fixture
def run(trained, tmp_path):
    """A copy of it, to damage."""
    shutil.copytree(trained[1], tmp_path / "run")
    return tmp_path / "run"


class Hostile:
    """Makes a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def raw(header: object, size: int = 0) -> bytes:
    """Make a safetensors file from its header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(size)


META = {"format": FORMAT, "version": str(VERSION), "state": "{}", "sha256": "0"}
TENSOR = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


def forged(state: str, tensors: dict[str, torch.Tensor] | None = None) -> bytes:
    """Make a checkpoint whose sum is right, whatever it says."""
    held = {"a": torch.zeros(1)} if tensors is None else tensors
    return save(held, META | {"state": state, "sha256": _digest(state, held)})


HOSTILE = {
    "absurd size": raw({"a": TENSOR | {"shape": [2**40], "data_offsets": [0, 2**42]}}),
    "overflowing shape": raw({"a": TENSOR | {"shape": [2**62, 2**62, 4]}}, 8),
    "empty and endless": raw(
        {"__metadata__": META, "a": TENSOR | {"shape": [0, 2**62, 2**62], "data_offsets": [0, 0]}}
    ),
    "header of 2**63": (2**63).to_bytes(8, "little") + b"{}",
    "header past the end": (2**20).to_bytes(8, "little") + b"{}",
    "same name twice": raw(
        b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},'
        b'"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}',
        16,
    ),
    "overlap": raw({"a": TENSOR, "b": TENSOR | {"data_offsets": [4, 12]}}, 12),
    "same bytes": raw({"a": TENSOR, "b": TENSOR}, 8),
    "hole": raw({"a": TENSOR, "b": TENSOR | {"data_offsets": [16, 24]}}, 24),
    "backwards": raw({"a": TENSOR | {"data_offsets": [8, 0]}}, 8),
    "unknown type": raw({"__metadata__": META, "a": TENSOR | {"dtype": "F4"}}, 8),
    "deep": raw(b"[" * 100_000),
    "a list for a state": forged("[]"),
    "a deep state": forged("[" * 100_000),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_checkpoint_is_refused(tmp_path, kind):
    path = tmp_path / "step-000000000064.safetensors"
    path.write_bytes(HOSTILE[kind])
    with pytest.raises(InputError) as caught:
        load_checkpoint(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_forged_state_is_refused(run, trained):
    reopen(run)
    (path,) = list_checkpoints(run)
    whole = load_checkpoint(path)
    before = (run / "episodes.csv").read_bytes()

    def changed(part: str, **values: object) -> dict[str, object]:
        return whole.state | {part: whole.state[part] | values}

    groups = whole.state["optimizer"]["param_groups"]
    states = {
        "episodes.csv ended": {**whole.state, "extra": None},
        "csv ended: use": changed("extra", episodes_bytes=-5),
        "is of the run": changed("extra", run="ppo/Pong/cnn/seed-9"),
        "num_timesteps": changed("counters", num_timesteps="64"),
        "generator is at": changed("numpy", pos=10**6),
        "the optimizer's lr": changed("optimizer", param_groups=[groups[0] | {"lr": "x"}]),
        "does not fit this run": {k: v for k, v in whole.state.items() if k != "env"},
    }
    for why, state in states.items():
        path.write_bytes(forged(json.dumps(state), whole.tensors))
        with pytest.raises(InputError, match=why) as caught:
            train_agent(trained[0], run)
        assert "\n" not in str(caught.value)
        assert (run / "episodes.csv").read_bytes() == before
    for name, shape in (("optimizer/0/exp_avg", (7,)), ("last/observations", (2, 4, 4, 4))):
        tensors = whole.tensors | {name: torch.zeros(shape)}
        path.write_bytes(forged(json.dumps(whole.state), tensors))
        with pytest.raises(InputError, match=r"(has|have) shape"):
            train_agent(trained[0], run)
    save_checkpoint(path, whole)
    assert train_agent(trained[0], run)["status"] == "done"


def test_hostile_and_newer_checkpoints_on_the_command_line(cli, run, tmp_path):
    reopen(run)
    (path,) = list_checkpoints(run)
    path.write_bytes(pickle.dumps(Hostile(tmp_path / "ran")))
    refused_with_warnings(cli("train", "--resume", run), "passed over", "start again in another")
    refused(cli("evaluate", run), "damaged or no checkpoint")
    path.write_bytes(save({"a": torch.zeros(1)}, META | {"version": "2"}))
    refused(cli("evaluate", run), "checkpoint version '2'", "use the release that wrote it")
    assert not (tmp_path / "ran").exists()


def refused_with_warnings(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Check for an error as the last line, and no traceback before it."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: ")
    for word in words:
        assert word in done.stderr


def test_a_path_that_climbs_out_leads_nowhere(run, capfd, tmp_path):
    best = run / "checkpoints" / "best.json"
    secret = tmp_path / "step-000000000064.safetensors"
    secret.write_bytes(b"secret")
    for step in ('"../../step-000000000064"', "1e999", "-5", "[1]"):
        best.write_text(f'{{"step": {step}, "score": 1.0}}')
        assert main(["evaluate", str(run), "--best", "--episodes", "1"]) == 2
        said = capfd.readouterr().err
        assert said.count("\n") == 1, said
    config = run / "config.yaml"
    config.write_text(config.read_text().replace("game: Breakout", "game: ../../../etc"))
    assert main(["evaluate", str(run)]) == 2
    assert "unknown game" in capfd.readouterr().err
    assert secret.read_bytes() == b"secret"


@pytest.mark.parametrize(
    "data", [b"step,score,frames,life_loss\n64,x,4,1\n", b"\xff\xfe\x00", b"step,score\n1,2\n"]
)
def test_damaged_episodes_stop_a_resume_and_stay_as_they_are(tmp_path, data):
    path = tmp_path / "episodes.csv"
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"episodes\.csv is damaged"):
        read_kept(path, len(data))
    assert path.read_bytes() == data


@pytest.mark.parametrize("text", ["{", "[]", '{"seconds": "many"}', '{"attempts": null}'])
def test_a_damaged_record_is_refused_and_can_be_done_without(run, trained, text):
    (run / "run.json").write_text(text)
    before = content(run)
    with pytest.raises(InputError, match=r"run\.json is damaged"):
        train_agent(trained[0], run)
    assert content(run) == before
    (run / "run.json").unlink()
    record = train_agent(trained[0], run)
    assert (record["status"], record["attempts"]) == ("done", 1)


def test_a_damaged_events_file_hides_nothing_else(cli, run, trained):
    (old,) = run.glob("events.out.tfevents.*")
    damaged = old.read_bytes()[:-7] + b"garbage" * 99
    old.write_bytes(damaged)
    (run / "events.out.tfevents.0.empty").write_bytes(b"")
    train_agent(trained[0], run)
    assert old.read_bytes() == damaged
    folder = run.parent / "runs"
    make_experiment(folder, **SMALL)
    (folder / RUN / "events.out.tfevents.1.x").write_bytes(damaged)
    (folder / "by-arm").mkdir()
    (folder / "by-arm" / "events.out.tfevents.1.x").write_bytes(b"garbage")
    done = cli("report", "runs")
    assert done.returncode == 0, done.stderr


def test_the_best_is_still_the_best_after_a_resume(run, trained):
    from coordconv_rl.agents.training.checkpoint import best_score, best_step, mark_best

    (newest,) = list_checkpoints(run)
    save_checkpoint(checkpoint_path(run, 32), load_checkpoint(newest))
    mark_best(run, 32, 1e9)
    assert best_score(run, 31) == -float("inf")
    half = run / "checkpoints" / ".step-000000000096.safetensors.1.tmp"
    half.write_bytes(b"half")
    reopen(run)
    train_agent(trained[0], run)
    assert best_step(run) == 32
    assert checkpoint_path(run, 32).is_file()
    assert not half.exists()


# Empty and missing folders, and an address without Ray.
@pytest.mark.parametrize("name", ["empty", "missing"])
@pytest.mark.parametrize(
    "words",
    [
        ["report"], ["inspect"], ["evaluate"], ["watch", "--video", "film.mp4"],
        ["train", "--resume"], ["compare", "quick", "--status", "--folder"],
    ],
)  # fmt: skip
def test_an_empty_or_missing_folder(capfd, monkeypatch, tmp_path, words, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    assert main([*words, name]) == 2
    said = capfd.readouterr().err
    assert said.count("\n") == 1, said
    assert name in said
    assert [path.name for path in tmp_path.rglob("*")] == ["empty"]


def test_an_address_where_something_else_listens(monkeypatch, tmp_path, capfd):
    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    from coordconv_rl.comparison.launch import ray_backend

    monkeypatch.setattr(ray_backend, "ANSWER_SECONDS", 1.0)  # nobody will answer
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []
        threading.Thread(target=lambda: held.append(server.accept()[0]), daemon=True).start()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        words = ["compare", "quick", "--backend", "ray", "--address", address, "--folder", "new"]
        assert main(words) == 2
    said = capfd.readouterr().err
    assert said.startswith("error: ")
    assert said.count("\n") == 1
    assert f"no Ray cluster at {address}" in said
    assert not (tmp_path / "new").exists()
