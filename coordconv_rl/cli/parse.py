"""Words to a command: tyro reads them, and what it refuses becomes one line."""

from __future__ import annotations

import contextlib
import io
import itertools
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import tyro

from coordconv_rl.errors import InputError, unknown

HELP = frozenset({"-h", "--help"})
TYRO = (tyro.conf.DisallowNone,)  # what may be left out needs no word for it
BORDERS = " │╭╮╰╯"  # there are none where the terminal knows ASCII alone
Kind = TypeVar("Kind")
Read = TypeVar("Read", bound="Command")


@dataclass(frozen=True)
class Command(ABC):
    """A command: its fields are the options, its docstring is the help."""

    @classmethod
    def read(cls: type[Read], words: Sequence[str], prog: str) -> Read:
        """Make the command of what was typed.

        Args:
            words: What follows the command's name.
            prog: Program and command, for the help and errors.

        Raises:
            InputError: A word or value makes no sense.
            SystemExit: The help was asked for, and is printed.
        """
        return read_options(cls, words, prog)

    @abstractmethod
    def run(self) -> int:
        """Run the command and return its exit code."""


def read_options(
    kind: type[Kind], words: Sequence[str], prog: str, default: Kind | None = None
) -> Kind:
    """Make a dataclass of words; an unknown one is an error.

    Args:
        kind: The dataclass.
        words: What was typed.
        prog: Program and command, for the help and errors.
        default: What is not typed.

    Raises:
        InputError: A word or value makes no sense.
        SystemExit: The help was asked for, and is printed.
    """
    try:
        command, rest = read_known(kind, words, prog, default)
    except InputError:  # what is missing may be there, under a name that is wrong
        names = option_names(kind, default)
        unread = (word for word in words if word.startswith("--") and _typed(word) not in names)
        if strange := next(unread, None):
            raise _unknown_option(strange, names, prog) from None
        raise
    if strange := next((word for word in rest if word.startswith("-")), None):
        raise _unknown_option(strange, option_names(kind, default), prog)
    if rest:
        raise InputError(f"{rest[0]!r} is one word too many (see {prog} --help)")
    return command


def _typed(word: str) -> str:
    return word.partition("=")[0].replace("_", "-")


def _unknown_option(word: str, names: Sequence[str], prog: str) -> InputError:
    return InputError(f"{unknown('option', _typed(word), names)} (see {prog} --help)")


def read_known(
    kind: type[Kind], words: Sequence[str], prog: str, default: Kind | None = None
) -> tuple[Kind, list[str]]:
    """Make a dataclass of the words that it knows, and return the others too."""

    def parse() -> tuple[Kind, list[str]]:
        return tyro.cli(
            kind,
            prog=prog,
            args=words,
            default=tyro.MISSING_NONPROP if default is None else default,
            config=TYRO,
            return_unknown_args=True,
        )

    return call_parser(parse, prog)


def call_parser(parse: Callable[[], Kind], prog: str) -> Kind:
    """Call tyro; what it refuses is raised as an `InputError`."""
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            return parse()
    except SystemExit as stop:
        if not stop.code:
            raise
        raise _refused(complaint.getvalue(), prog) from None


def option_names(kind: type[Kind], default: Kind | None = None) -> list[str]:
    """Return a command's options as they are typed, from its own help."""
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), contextlib.suppress(SystemExit):
        read_known(kind, ["--help"], "", default)
    return sorted(set(re.findall(r"(?<![\w-])--[a-z][\w-]*", shown.getvalue())))


def _refused(box: str, prog: str) -> InputError:
    """Say in our words what is inside tyro's box, between its title and the next rule."""
    lines = [line.strip(BORDERS).rstrip() for line in box.splitlines()][1:]
    body = list(itertools.takewhile(lambda line: not _is_rule(line), _after_rule(lines)))
    text = " ".join(" ".join(body).split())
    if found := re.search(r"^invalid choice '(.*)' for argument '-*(.*)'\. .* \((.*)\)", text):
        value, name, choices = found.groups()
        offered = set(re.findall(r"'([^']*)'", choices)) - {"None"}  # leaving it out says that
        return unknown(name.removesuffix("s"), value, offered)
    if found := re.search(r"^Error parsing (\S+): .*(int\(\) with base 10|to float): (.*?)$", text):
        name, kind, value = found.groups()
        wanted = "a number" if kind == "to float" else "a whole number"
        return InputError(f"{name} is {value}: it must be {wanted} (see {prog} --help)")
    if found := re.search(r"^Error parsing (\S+): Could not find .*: \[(.*)\]", text):
        text = f"{found.group(1)} cannot be {found.group(2)}"
    if found := re.search(r"^Missing from [^:]*: (\S+(?: [A-Z]{3,})?)", text):
        text = f"{found.group(1)} is missing"
    return InputError(f"{text or 'the arguments make no sense'} (see {prog} --help)")


def _is_rule(line: str) -> bool:
    return re.fullmatch(r"[─-]{3,}", line) is not None


def _after_rule(lines: list[str]) -> list[str]:
    """Leave the rule below the title out, which only a box without borders has."""
    return lines[1:] if lines and _is_rule(lines[0]) else lines
