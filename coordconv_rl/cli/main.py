"""The command line: `coordconv-rl COMMAND`, and what every command does with bad input.

Each command imports what it needs when it runs, so help and reports start fast.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import version

import tyro

from coordconv_rl.cli.agents import Evaluate, ExportSb3, Inspect, Watch
from coordconv_rl.cli.choices import ListArms, ListExperiments
from coordconv_rl.cli.comparison import Compare, Export, Report, Tensorboard
from coordconv_rl.cli.games import ListGames
from coordconv_rl.cli.hub import Load, Push
from coordconv_rl.cli.parse import HELP, TYRO, Command, call_parser
from coordconv_rl.cli.studies import RunStudy
from coordconv_rl.cli.train import Train
from coordconv_rl.errors import BAD_INPUT, FAILED, INTERRUPTED, OK, InputError, unknown
from coordconv_rl.files import is_forbidden, is_no_room

COMMAND_NAME = "coordconv-rl"
COMMANDS: dict[str, type[Command]] = {
    "train": Train,
    "evaluate": Evaluate,
    "watch": Watch,
    "inspect": Inspect,
    "export-sb3": ExportSb3,
    "push": Push,
    "load": Load,
    "compare": Compare,
    "report": Report,
    "export": Export,
    "tensorboard": Tensorboard,
    "study": RunStudy,
    "games": ListGames,
    "arms": ListArms,
    "experiments": ListExperiments,
}
SHELLS = ("bash", "zsh", "fish")  # tyro knows tcsh too, but only with the library shtab
COMPLETION = {"--tyro-print-completion": 2, "--tyro-write-completion": 3}  # words of each
DESCRIPTION = f"""CoordConv agents on Atari: train, watch and compare them.

A command's options: {COMMAND_NAME} COMMAND --help

The version: {COMMAND_NAME} --version

Completion for a shell: {COMMAND_NAME} --tyro-write-completion {"|".join(SHELLS)} FILE"""


class Messages(logging.StreamHandler):  # type: ignore[type-arg]  # Python 3.10 takes none
    """Writes to the standard error as it is then: a live line stands in for it, to stay below."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one message."""
        self.stream = sys.stderr
        super().emit(record)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    0 done, 1 failed, 2 bad input, 74 disk full (of runs and studies), 130 interrupted. An exception
    is printed with its traceback and a line of its own.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    logging.basicConfig(format="%(message)s", handlers=[Messages()])
    logging.getLogger("coordconv_rl").setLevel(logging.INFO)  # ours alone: TensorBoard logs a lot
    try:
        return _run(words or ["--help"])
    except BrokenPipeError:
        sys.stderr.close()
        return FAILED
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        code, text = _explain(error)
        print(f"error: {text}", file=sys.stderr)
        return code


def _explain(error: Exception) -> tuple[int, str]:
    """Return the exit code of an error and what it is, in a line; print an unknown's traceback."""
    if isinstance(error, InputError):
        return BAD_INPUT, str(error)
    if isinstance(error, OSError):
        where = f"{error.filename or 'a file'}: {error.strerror}"
        if is_forbidden(error):
            return BAD_INPUT, f"{where}: copy the folder to where you may write, or change its mode"
        if is_no_room(error):
            return FAILED, f"{where}: make room, then again"
    traceback.print_exception(error)
    return FAILED, f"{type(error).__name__}: {' '.join(str(error).split())}"


def _run(words: list[str]) -> int:
    name = words[0]
    if name == "--version":
        print(f"{COMMAND_NAME} {version('coordconv_rl')}")
        return OK
    try:
        if name in HELP or name in COMPLETION:
            return _show(words)
        if name not in COMMANDS:
            raise unknown("command", name, COMMANDS)
        command = COMMANDS[name].read(words[1:], f"{COMMAND_NAME} {name}")
    except SystemExit:  # the help is printed
        return OK
    return command.run()


def _show(words: list[str]) -> int:
    """Print the help on all commands, or a shell's completion for them."""
    if len(words) < COMPLETION.get(words[0], 1) or not {*words[1:2]} <= {*SHELLS}:
        raise InputError(f"{words[0]} needs a shell ({', '.join(SHELLS)}), and to write a file")
    try:
        call_parser(
            lambda: tyro.extras.subcommand_cli_from_dict(
                dict(COMMANDS), prog=COMMAND_NAME, description=DESCRIPTION, args=words, config=TYRO
            ),
            COMMAND_NAME,
        )
    except OSError as error:
        raise InputError(f"cannot write {words[-1]}: {error.strerror}") from error
    return OK
