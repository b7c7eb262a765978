from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import coordconv_rl
from coordconv_rl.cli.main import main


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["trian"], "did you mean train"),
        (["train", "--gmae", "Pong"], "--gmae"),
        (["train", "--game", "Breakuot"], "did you mean Breakout"),
        (["train", "--arm", "coordcnv"], "did you mean coordconv"),
        (["train", "--algo", "pppo"], "did you mean ppo"),
        (["train", "--steps", "0"], "at least 1"),
        (["train", "--steps", "many"], "--steps"),
        (["train", "--seed", "-1"], "at least 0"),
        (["train", "--protocol", "v6"], "v4"),
        (["train", "--device", "cuda:63", "--steps", "9"], "use --device cpu"),
        (["train", "--folder", "/proc/none/here"], "cannot write"),
        (["train", "--resume", "missing"], "no run to go on with"),
        (["train", "--resume", "missing", "--seed", "3"], "leave out --seed"),
        (["train", "--config", "missing.yaml"], "cannot read"),
        (["train", "--export-sb3", "agent.pt"], ".zip"),
        (["evaluate", "missing"], "holds no run"),
        (["evaluate", "agent.zip", "--game", "Pong"], "--trust-pickle"),
        (["watch", "missing", "--video", "film.avi"], ".mp4"),
        (["games", "--suite", "atari-9"], "atari-5"),
        (["compare", "quik"], "did you mean quick"),
        (["compare", "quick", "--jobs", "0"], "at least one"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(capfd, monkeypatch, tmp_path, words, message):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    said = capfd.readouterr().err
    assert message in said
    assert said.count("\n") == 1, said
    assert list(tmp_path.iterdir()) == []


def test_the_process_exits_with_2(cli):
    done = cli("trian")
    assert done.returncode == 2
    assert done.stderr == "error: unknown command 'trian': did you mean train?\n"


def test_train_is_a_script_too():
    script = Path(coordconv_rl.__file__).parent / "agents" / "train.py"
    command = [sys.executable, str(script), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--game" in done.stdout


def test_games_lists_reference_scores(cli):
    done = cli("games", "--suite", "atari-10")
    assert done.returncode == 0
    assert "RoadRunner" in done.stdout
    assert "31,671.5" in done.stdout


def test_help_needs_no_torch():
    code = (
        "import sys; from coordconv_rl.cli.main import main; code = main(['--help']);"
        "sys.exit(code or bool({'torch', 'stable_baselines3'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "compare" in done.stdout


@pytest.mark.parametrize("name", coordconv_rl.__all__)
def test_every_exported_name_exists(name):
    assert getattr(coordconv_rl, name) is not None


def test_unknown_attribute_is_an_attribute_error():
    with pytest.raises(AttributeError, match="CoordConv4d"):
        coordconv_rl.CoordConv4d  # noqa: B018
