from __future__ import annotations

import io
import logging
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

import coordconv_rl
from coordconv_rl.agents.training.progress import Progress
from coordconv_rl.cli.choices import ListArms
from coordconv_rl.cli.main import COMMANDS, Messages, main


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
        (["evaluate", "agent.zip", "--game", "Pong"], "there is no agent.zip"),
        (["watch", "missing", "--video", "film.avi"], ".mp4"),
        (["games", "--suite", "atari-9"], "atari-5"),
        (["compare", "quik"], "did you mean quick"),
        (["--tyro-print-completion"], "needs a shell (bash, zsh, fish)"),
        (["--tyro-print-completion", "powershell"], "needs a shell"),
        (["--tyro-write-completion", "bash"], "to write a file"),
        (["--tyro-write-completion", "bash", "none/file"], "cannot write none/file"),
        (["export-sb3", "missing", "agent.zip"], "holds no run"),
        (["export-sb3", "missing", "agent.pt"], "must be a .zip file"),
        (["watch", "missing", "--video", "a.mp4", "--seed", "-3"], "at least 0"),
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


def python_m(*words: str) -> subprocess.CompletedProcess[str]:
    """Start the command as a user does, in a Python of its own."""
    command = [sys.executable, "-m", "coordconv_rl", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_an_exception_is_a_traceback_and_a_line(capfd, monkeypatch):
    def broken(self: object) -> int:
        raise KeyError("one\n  two")

    monkeypatch.setattr(ListArms, "run", broken)
    assert main(["arms"]) == 1
    said = capfd.readouterr().err.splitlines()
    assert said[0] == "Traceback (most recent call last):"
    assert said[-1] == "error: KeyError: 'one\\n two'"


def test_the_process_exits_with_2():
    done = python_m("trian")
    assert done.returncode == 2
    assert done.stderr == "error: unknown command 'trian': did you mean train?\n"


def test_train_is_a_script_too():
    script = Path(coordconv_rl.__file__).parent / "agents" / "train.py"
    command = [sys.executable, str(script), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--game" in done.stdout


def test_help_needs_no_torch():
    code = (
        "import sys; from coordconv_rl.cli.main import COMMANDS, main;"
        "codes = [main([*words, '--help']) for words in [[], *([name] for name in COMMANDS)]];"
        "slow = {'torch', 'stable_baselines3', 'scipy', 'matplotlib', 'tensorboard'};"
        "sys.exit(any(codes) or ' '.join(slow & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "compare" in done.stdout


def test_the_version_is_the_packages():
    done = python_m("--version")
    assert (done.returncode, done.stdout) == (0, f"coordconv-rl {coordconv_rl.__version__}\n")


@pytest.mark.parametrize("name", [None, *COMMANDS])
def test_each_help_fits_80_columns(capsys, monkeypatch, name):
    monkeypatch.setenv("COLUMNS", "80")
    assert main([name, "--help"] if name else ["--help"]) == 0
    shown = capsys.readouterr().out
    rows = shown.splitlines()[1:]  # the usage is the terminal's to wrap
    assert max(map(len, rows)) <= 80
    assert "(default: None)" not in shown
    for other in [] if name else COMMANDS:
        assert f" {other} " in shown


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_for_a_shell_has_every_command_and_option(cli, tmp_path, shell):
    printed = cli("--tyro-print-completion", shell)
    assert printed.returncode == 0, printed.stderr
    for word in (*COMMANDS, "learning-rate", "trust-pickle", "dry-run"):
        assert word in printed.stdout
    assert cli("--tyro-write-completion", shell, tmp_path / "file").returncode == 0
    written = (tmp_path / "file").read_text()
    assert len(written) == len(printed.stdout) - 1  # tyro has no order for the choices of some


def test_bash_completes_a_command(cli, tmp_path):
    cli("--tyro-write-completion", "bash", tmp_path / "file")
    script = f"source {tmp_path / 'file'}; complete -p coordconv-rl"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "coordconv-rl" in done.stdout


@pytest.mark.parametrize("name", coordconv_rl.__all__)
def test_every_exported_name_exists(name):
    assert getattr(coordconv_rl, name) is not None


def test_unknown_attribute_is_an_attribute_error():
    with pytest.raises(AttributeError, match="CoordConv4d"):
        coordconv_rl.CoordConv4d  # noqa: B018


def test_a_message_does_not_run_into_the_live_line():
    screen, log = io.StringIO(), logging.getLogger("live-line")
    handler = Messages()
    log.addHandler(handler)
    terminal = Console(file=screen, force_terminal=True, width=80)
    with Progress("run", 10, shown=True, console=terminal) as progress:
        progress.update(5, 1.0, None)
        log.warning("a message")
    log.removeHandler(handler)
    (line,) = (line for line in screen.getvalue().split("\n") if "a message" in line)
    assert "left" not in line.split("\x1b[2K")[-1]  # what is shown of the row after it was cleared
