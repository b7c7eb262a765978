"""The parts of pages that are made from the code, and links between pages."""

from __future__ import annotations

import importlib.util
import re
import sys

import pytest
from pages import ROOT

if not (ROOT / "mkdocs.yml").is_file():
    pytest.skip("not a checkout", allow_module_level=True)
pytest.importorskip("mkdocstrings", reason="the extra docs is not installed")

FOLDER = ROOT / "docs" / "generator"
MODULES = ("commands", "run_files", "keys", "names", "hook")


@pytest.fixture(scope="module")
def made():
    """The generator's modules by name, imported as mkdocs does: from beside the hook."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        for name in MODULES:
            patch.delitem(sys.modules, name, raising=False)
        for name in MODULES:
            spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
            module = importlib.util.module_from_spec(spec)
            patch.setitem(sys.modules, name, module)
            spec.loader.exec_module(module)
            found[name] = module
    return found


def test_a_keys_row_says_type_default_and_text(made):
    rows = made["keys"].key_table("Evaluation").splitlines()
    said = "Whole games for each of the two ways to act; 0 for no evaluation."
    assert rows[2] == f"| `episodes` | whole number | `30` | {said} |"
    assert rows[3].startswith("| `greedy` | `true` or `false` | `true` | Whether to play")
    assert len(rows) == 4


@pytest.mark.parametrize(
    ("key", "value", "default"),
    [
        ("algos", "list of `a2c`, `ppo`", "needed"),
        ("arms", "list of names or mappings", "needed"),
        ("suite", "`atari-5`, `atari-10`, `atari-26`, `atari-57`, `minatar`", "none"),
        ("backbone", "`nature`, `impala`, `minatar`", "none"),
        ("evaluation", "mapping as [below](#evaluation)", "those below"),
        ("checkpoint_minutes", "number", "`5.0`"),
    ],
)
def test_types_and_defaults_in_words(made, key, value, default):
    rows = made["keys"].key_table("ExperimentConfig").splitlines()
    (row,) = (row for row in rows if row.startswith(f"| `{key}` |"))
    assert row.split(" | ")[1:3] == [value, default]


def test_a_run_has_its_own_defaults(made):
    assert "| `game` | text | `Breakout` |" in made["keys"].key_table("RunConfig")


def test_presets_stand_side_by_side(made):
    lines = made["keys"].preset_table("all").splitlines()
    assert lines[0] == "| key | A2C, atari | PPO, atari | A2C, minatar | PPO, minatar |"
    (row,) = (line for line in lines if line.startswith("| `n_envs`"))
    assert row.startswith("| `n_envs` | 16 | 8 |")


def test_boxes_of_a_help_text(made):
    help_text = """\
╭─ options ─────────────────────╮
│ -h, --help   show this        │
│ --video PATH                  │
│              A file; it ends  │
│ with                          │
│              .gif. (required) │
╰───────────────────────────────╯
╭─ more ────────────────────────╮
│ What they are.                │
│ ───────────────────────────── │
│ --n INT      How many. (default: 1) │
╰───────────────────────────────╯"""
    text = help_text.replace("│ with  ", "│    with")
    boxes = list(made["commands"].boxes(text.splitlines()))
    assert boxes == [
        ("options", [("--video PATH", "A file; it ends with .gif. (required)")]),
        ("more", [("--n INT", "How many. (default: 1)")]),
    ]
    row = made["commands"]._row
    assert row(boxes[1][1][0]) == "| `--n INT` | How many. | `1` |"
    assert row(("--a {b,c}", "What. (optional)")) == "| `--a` | What. One of `b`, `c`. | optional |"
    assert row(("--a [{b,c} [{b,c} ...]]", "What.")) == "| `--a` | What. Any of `b`, `c`. |  |"
    assert row(("--d, --no-d", "Whether.")) == "| `--d`, `--no-d` | Whether. |  |"


def test_a_commands_page_has_what_its_help_has(made):
    text = made["commands"].option_tables("watch")
    assert text.startswith("Write a video")
    assert re.search(
        r"^\| `--greedy` \| Play the most likely .* \| `False` \|$", text, re.MULTILINE
    )
    assert "show this help" not in text


def test_a_command_that_fails_stops_the_build(made):
    with pytest.raises(ValueError, match="report nowhere ended with 2"):
        made["commands"].output("report nowhere")


def test_files_come_with_the_comments_of_their_constants(made):
    rows = made["run_files"].file_table("A run's folder").splitlines()
    assert "| `config.yaml` | The resolved configuration, written before the first step |" in rows
    assert not any("experiment.yaml" in row for row in rows)
    with pytest.raises(ValueError, match="no comment 'Nothing'"):
        made["run_files"].file_table("Nothing")


def test_names_are_those_that_are_exported(made):
    from coordconv_rl import sb3

    assert made["names"].exports("coordconv_rl.sb3") == sorted(sb3.__all__)
    assert made["names"].full_text("coordconv_rl.sb3").startswith("::: coordconv_rl.sb3.ADAM\n")
    assert "| [`FastPPO`](python-sb3.md#coordconv_rl.sb3.FastPPO) | SB3's `PPO`" in (
        made["names"].name_table("coordconv_rl")
    )


@pytest.mark.parametrize(
    ("home", "path", "text", "wanted"),
    [
        ("docs", "agent.md", "[a](../README.md)", "a"),
        ("docs", "agent.md", "[a](../benchmarks/README.md#layers)", "[a](speed.md#layers)"),
        ("", "contributing.md", "[a](docs/keys.md)", "[a](keys.md)"),
        ("docs", "agent.md", "[a](keys.md#arms)", "[a](keys.md#arms)"),
        ("docs", "agent.md", "[a](../no.md)", "[a](../no.md)"),
        ("docs", "agent.md", "[a](https://b.c/d)", "[a](https://b.c/d)"),
    ],
)
def test_links_between_files_become_links_between_pages(made, home, path, text, wanted):
    assert made["hook"].site_text(text, home, path) == wanted


def test_lists_begin_as_on_github(made):
    text = "Three:\n- one\n- two\n\n| a |\n|---|\n"
    assert made["hook"].site_text(text, "docs", "x.md") == text.replace("Three:\n", "Three:\n\n")


def test_an_unknown_marker_stops_the_build(made):
    from mkdocs.exceptions import PluginError

    with pytest.raises(PluginError, match="nothing makes <!-- kyes: Arm -->"):
        made["hook"].site_text("<!-- kyes: Arm -->", "docs", "x.md")
