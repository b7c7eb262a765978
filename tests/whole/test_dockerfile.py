"""The Dockerfile as far as it can be looked at without Docker: files, shell, user, entry point."""

from __future__ import annotations

import fnmatch
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
if not (ROOT / "Dockerfile").is_file():
    pytest.skip("not a checkout", allow_module_level=True)


def instructions():
    """Return the Dockerfile's instructions, joined where they go on, without comments."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    joined = text.replace("\\\n", " ").splitlines()
    return [tuple(line.split(maxsplit=1)) for line in joined if line.strip()]


def is_sent(path):
    """Return whether .dockerignore lets a path into the build: its last matching line decides."""
    sent = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.strip()
        if pattern and not pattern.startswith("#"):
            keep, pattern = pattern.startswith("!"), pattern.removeprefix("!").removeprefix("**/")
            parts = [path, *path.split("/")]
            if any(fnmatch.fnmatch(part, pattern) for part in parts):
                sent = keep
    return sent


def test_every_file_that_is_copied_is_there_and_sent():
    sources = [
        word
        for name, rest in instructions()
        if name == "COPY" and not rest.startswith("--from=")
        for word in rest.split()[:-1]
    ]
    assert {"constraints.txt", "coordconv_rl", "pyproject.toml"} <= set(sources)
    for source in sources:
        assert (ROOT / source).exists(), source
        assert is_sent(source), source
    kept_out = (".venv", "runs/quick/run.json", "coordconv_rl/__pycache__/a.pyc", ".git/config")
    assert not any(is_sent(path) for path in kept_out)


def test_what_the_build_needs_is_copied():
    """The files that pyproject.toml names, or the build ends with an error."""
    project = (ROOT / "pyproject.toml").read_text()
    named = re.search(r'^readme = "(.+)"', project, re.MULTILINE)[1]
    licences = json.loads(re.search(r"^license-files = (.+)", project, re.MULTILINE)[1])
    copied = " ".join(rest for name, rest in instructions() if name == "COPY")
    assert all(name in copied.split() for name in [named, *licences])


@pytest.mark.skipif(shutil.which("sh") is None, reason="there is no sh to read the commands with")
def test_commands_are_shell_and_mean_what_they_say():
    for name, rest in instructions():
        if name == "RUN":
            subprocess.run(["sh", "-n", "-c", rest], check=True)
    script = (
        'EXTRAS="$1"; echo ".${EXTRAS:+[${EXTRAS}]}"; echo "$(grep "^torch==" constraints.txt)"'
    )
    for extras, wanted in (("", "."), ("box2d,ray", ".[box2d,ray]")):
        command = ["sh", "-c", script, "sh", extras]
        said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        assert re.fullmatch(re.escape(wanted) + r"\ntorch==[\d.]+\n", said)


def test_it_runs_our_command_without_rights_and_keeps_runs():
    last = dict(instructions())
    stages = [rest for name, rest in instructions() if name == "FROM"]
    assert len(stages) == 2
    assert last["USER"] == "1000:1000"
    assert any("useradd --uid 1000 " in rest for name, rest in instructions() if name == "RUN")
    assert shlex.split(last["VOLUME"]) == ["/app/runs"]
    (command,) = json.loads(last["ENTRYPOINT"])
    assert f"{command} =" in (ROOT / "pyproject.toml").read_text()
    names = [name for name, _ in instructions()]
    assert names.index("USER") > max(i for i, name in enumerate(names) if name == "RUN")
