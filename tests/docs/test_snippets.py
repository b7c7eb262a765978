"""What README and documentation show works: Python is run, commands are read by their parser."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
import sys

import pytest
from pages import PAGES, ROOT, block_commands, inline_commands, snippets

from coordconv_rl.agents import train_agent
from coordconv_rl.cli.main import COMMANDS
from coordconv_rl.cli.parse import option_names
from coordconv_rl.configs import Evaluation, load_experiment, to_yaml
from coordconv_rl.runs import EPISODE_COLUMNS

if not (ROOT / "pyproject.toml").is_file():
    pytest.skip("not a checkout", allow_module_level=True)

NAMES = {page: str(page.relative_to(ROOT)) for page in PAGES}
WITH_PYTHON = [page for page in PAGES if any(s.language == "python" for s in snippets(page))]
PLACEHOLDER = re.compile(r"[A-Z]{2,}(\.[a-z]+)?")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working folder, whose modules can be imported and are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def write_files(page, folder):
    """Write the snippets that are files, and return their names."""
    titled = [one for one in snippets(page) if one.title]
    for one in titled:
        (folder / one.title).write_text(one.text)
    return [one.title for one in titled]


def as_tested(snippet):
    """Return a snippet with the smaller numbers that the comment before it names."""
    text = snippet.text
    for change in snippet.note.removeprefix("tested with ").split("; "):
        if snippet.note.startswith("tested with "):
            shown, _, small = change.partition(" = ")
            assert shown in text, f"{snippet.where} has no {shown}"
            text = text.replace(shown, small)
    return text


@pytest.mark.parametrize("page", WITH_PYTHON, ids=NAMES.get)
def test_python_runs_and_prints_what_is_shown(page, here):
    write_files(page, here)
    shared: dict[str, object] = {"__name__": "snippet"}
    printed = ""
    for one in snippets(page):
        if one.note == "prints":
            assert printed == one.text, one.where
        elif one.language == "python" and not one.title and not one.note.startswith("not run: "):
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile(as_tested(one), one.where, "exec"), shared)
            printed = out.getvalue()


def ours(line):
    """Return the words after `coordconv-rl`, of a line that calls it, in a container too."""
    words = shlex.split(line, comments=True)
    names = ("coordconv-rl", ".venv/bin/coordconv-rl")
    if words[:2] == ["docker", "run"]:
        start = next(i for i, word in enumerate(words) if word.startswith("coordconv-rl"))
        return words[start + 1 :]
    return words[1:] if words and words[0] in names else []


@pytest.mark.parametrize("page", PAGES, ids=NAMES.get)
def test_commands_are_read_by_their_parser(page, here):
    """A run that is resumed must be one that the page has trained, or its folder is made here."""
    write_files(page, here)
    for where, line in block_commands(page):
        words = ours(line)
        if not words or words[0].startswith("-"):
            continue
        assert words[0] in COMMANDS, where
        if "--resume" in words:
            folder = here / words[words.index("--resume") + 1]
            folder.mkdir(parents=True, exist_ok=True)
            if not (folder / "config.yaml").exists():
                settings = COMMANDS["train"].read([], "train").settings
                (folder / "config.yaml").write_text(to_yaml(settings))
        command = COMMANDS[words[0]].read(words[1:], where)
        if words[0] == "train" and command.folder is not None and command.resume is None:
            folder = here / str(command.folder).lstrip("/")
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "config.yaml").write_text(to_yaml(command.settings))
        if words[0] == "compare":
            command.config()


def test_files_that_are_shown_are_experiments(here):
    for page in PAGES:
        for name in write_files(page, here):
            if name.endswith(".yaml"):
                assert load_experiment(name).name == name.removesuffix(".yaml")


def test_commands_within_sentences_exist():
    wrong = []
    known = {name: set(option_names(kind)) for name, kind in COMMANDS.items()}
    for page in PAGES:
        for where, line in inline_commands(page):
            words = ours(line)
            if not words or words[0].startswith("-") or PLACEHOLDER.fullmatch(words[0]):
                continue
            options = {word.partition("=")[0] for word in words if word.startswith("--")}
            if words[0] not in known or options - known[words[0]] - {"--help"}:
                wrong.append(f"{where}: {line}")
    assert not wrong, "\n".join(wrong)


def test_targets_modules_and_tests_that_pages_name_exist():
    makefile = (ROOT / "Makefile").read_text()
    wrong = []
    for page in PAGES:
        for where, line in [*block_commands(page), *inline_commands(page)]:
            words = shlex.split(line, comments=True)
            if words[:1] == ["make"]:
                there = [
                    re.search(rf"^{word}:", makefile, re.MULTILINE)
                    for word in words[1:]
                    if "=" not in word
                ]
            else:
                paths = [word for word in words if word.startswith("tests/")]
                if words[1:2] == ["-m"] and words[2].startswith("benchmarks."):
                    paths.append(words[2].replace(".", "/") + ".py")
                there = [(ROOT / path).exists() for path in paths]
            if not all(there):
                wrong.append(f"{where}: {line}")
    assert not wrong, "\n".join(wrong)


def test_the_page_of_files_names_every_key_of_a_record(small_run, tmp_path):
    """Of a run that was really trained; what a table lists by hand is what is written."""
    text = (ROOT / "docs/files.md").read_text()
    keys = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", text, re.MULTILINE)
    listed = {name for row in keys for name in re.findall(r"`(\w+)`", row)}
    config = small_run(steps=32, evaluation=Evaluation(episodes=1, greedy=False))
    record = train_agent(config, tmp_path / config.run_id)
    assert listed == set(json.loads((tmp_path / config.run_id / "run.json").read_text()))
    assert record["status"] == "done"
    score = json.loads((tmp_path / config.run_id / "evaluation.json").read_text())["stochastic"]
    assert all(f"`{name}`" in text for name in [*score, *EPISODE_COLUMNS.split(",")])
