"""What the command line says of itself: options from `--help`, and what a command prints."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import textwrap
from collections.abc import Iterator

from coordconv_rl.cli import run_command_line
from coordconv_rl.cli.main import COMMANDS

WIDE, NARROW = "1000", "84"  # columns: one line for each option; what fits a page
CHOICES = re.compile(r"\{([^{}]+)\}")
DEFAULT = re.compile(r"\s*\((default: .*|optional|required)\)$")


def output(words: str) -> str:
    """Return what a command prints, fenced."""
    return f"```text\n{_printed(words, NARROW)}```"


def all_commands(_: str) -> str:
    """Return a section for each command."""
    return "\n\n".join(f"## {name}\n\n{option_tables(name)}" for name in COMMANDS)


def option_tables(command: str) -> str:
    """Return a command's first line and its options, box by box, as its `--help` shows them."""
    lines = _printed(f"{command} --help", WIDE).splitlines()
    usage = " ".join(lines[0].removeprefix("usage: ").split())
    summary = next(line for line in lines[1:] if line.strip())
    parts = [summary, f"```text\n{usage}\n```"]
    for title, rows in boxes(lines):
        head = "| option | what it does | default |\n|---|---|---|"
        parts.append("\n".join([f"**{title.capitalize()}**", "", head, *map(_row, rows)]))
    return "\n\n".join(parts)


def boxes(lines: list[str]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield each box of a help text: its title, and the options with what is said of them."""
    title, rows = "", []
    for line in lines:
        if line.startswith("╭"):
            title, rows = line.strip("╭─╮ "), []
        elif line.startswith("╰"):
            yield title, [(option, said) for option, said in rows if option != "-h, --help"]
        elif line.startswith("│ ─"):
            rows = []  # what stood above the rule is about the box
        elif line.startswith("│"):
            text = line.strip("│").rstrip()
            option, _, said = text.strip().partition("  ")
            if text.startswith("  ") and rows:  # the last one's text goes on
                rows[-1] = (rows[-1][0], f"{rows[-1][1]} {text.strip()}".strip())
            else:
                rows.append((option, said.strip()))


def _row(row: tuple[str, str]) -> str:
    """Return a line of a table: the option as typed, its text with its choices, its default."""
    option, said = row
    found = DEFAULT.search(said)
    default = found.group(1) if found else ""
    text = DEFAULT.sub("", said)
    if choices := CHOICES.search(option):
        several = "Any" if option.endswith("...]]") else "One"
        names = ", ".join(f"`{name}`" for name in choices.group(1).split(","))
        text, option = f"{text} {several} of {names}.", option.partition(" ")[0]
    options = ", ".join(f"`{one}`" for one in option.split(", "))
    if default.startswith("default: "):
        default = f"`{default.removeprefix('default: ')}`"
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in (options, text, default)) + " |"


def _printed(words: str, columns: str) -> str:
    """Run a command in this process and return what it prints, for a terminal of that width."""
    printed = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")  # a terminal that knows boxes
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = columns
    try:
        with contextlib.redirect_stdout(printed):
            code = run_command_line(shlex.split(words))
    finally:
        os.environ.pop("COLUMNS") if before is None else os.environ.update(COLUMNS=before)
    if code:
        raise ValueError(f"coordconv-rl {words} ended with {code}")
    printed.seek(0)
    return textwrap.dedent("".join(f"{line.rstrip()}\n" for line in printed))
