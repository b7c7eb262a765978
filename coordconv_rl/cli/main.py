"""The command line: `coordconv-rl COMMAND`, and what every command does with bad input.

Each command imports what it needs when it runs, so help and reports start fast.
"""

from __future__ import annotations

import contextlib
import io
import logging
import re
import sys
from collections.abc import Callable, Sequence
from typing import Protocol

import tyro

from coordconv_rl.cli import agents as agent
from coordconv_rl.cli import comparison as many
from coordconv_rl.errors import InputError, unknown
from coordconv_rl.files import is_no_room


class Command(Protocol):
    """What every command can do."""

    def run(self) -> int:
        """Run the command and return its exit code."""
        ...


COMMANDS: dict[str, Callable[..., Command]] = {
    "train": agent.Train,
    "evaluate": agent.Evaluate,
    "watch": agent.Watch,
    "inspect": agent.Inspect,
    "compare": many.Compare,
    "report": many.Report,
    "tensorboard": many.Tensorboard,
    "study": many.Study,
    "games": many.Games,
}
FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130
HELP = {"-h", "--help"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 done, 1 failed, 2 bad input, 130 interrupted."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        if words and words[0] not in COMMANDS and words[0] not in HELP:
            raise unknown("command", words[0], COMMANDS)
        return _run(words or ["--help"])
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except OSError as error:
        if not is_no_room(error):
            raise
        where = error.filename or "a file"
        print(f"error: {where}: {error.strerror}: make room, then again", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED


def _run(words: list[str]) -> int:
    """Parse the words and call the command; what the parser refuses becomes one line."""
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            command: Command = tyro.extras.subcommand_cli_from_dict(
                dict(COMMANDS),
                prog="coordconv-rl",
                description="CoordConv agents on Atari: train, watch and compare them.",
                args=words,
            )
    except SystemExit as stop:
        if stop.code in {0, None}:
            return 0
        raise InputError(_one_line(complaint.getvalue())) from None
    return command.run()


def _one_line(box: str) -> str:
    """Return the message inside the parser's box: what is above its first rule, as one line."""
    lines = [line.strip(" │╭╮╰╯") for line in box.splitlines()]
    rules = [i for i, line in enumerate(lines) if re.fullmatch(r"─+", line)]
    body = lines[1 : rules[0]] if rules else lines[1:]
    text = " ".join(" ".join(body).split()).strip(" ─")
    return (
        f"{text} (see coordconv-rl --help)" if text else "the arguments make no sense: see --help"
    )
