"""What a user typed wrong, said in one line; and what a process's exit code says."""

from __future__ import annotations

import difflib
import operator
from collections.abc import Iterable

# What the end of a process says; below 0 is the number of the signal that killed it.
OK = 0
FAILED = 1
BAD_INPUT = 2  # as of argparse: no retry mends it
DISK_FULL = 74  # EX_IOERR of BSD's sysexits.h: no retry mends it before somebody makes room
INTERRUPTED = 130  # 128 + SIGINT, as of a shell: asked to stop, its checkpoint is saved
MACHINE_LOST = 1000  # no exit code of a process: nobody is there to say one


class InputError(ValueError):
    """Bad input: the message is one line that says what is wrong, why, and what to do instead.

    The command line prints it without a traceback and exits with code 2.
    """


def missing_extra(extra: str, error: ImportError) -> InputError:
    """Make the error for a library that only an extra of the package installs."""
    return InputError(f"{error}: pip install 'coordconv_rl[{extra}]'")


def as_integer(name: str, value: object) -> int:
    """Return a Python integer for any kind of integer, NumPy's too.

    Raises:
        InputError: It is none.
    """
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError as error:
        raise InputError(f"{name} is {value!r}: use an integer") from error


def as_flag(name: str, value: object) -> bool:
    """Return whether a switch is on, for Python's, NumPy's and torch's truth values and 0 or 1.

    Raises:
        InputError: It is text, of which any is true, or nothing.
    """
    if value is None or isinstance(value, str | bytes):
        raise InputError(f"{name} is {value!r}: use True or False")
    return bool(value)


def unknown(kind: str, name: object, choices: Iterable[str]) -> InputError:
    """Make the error for a name that is not among the choices, with the closest ones first.

    Args:
        kind: What the name stands for, as in "game".
        name: What was asked for.
        choices: The names that exist.
    """
    known = sorted(choices)
    folded = {choice.lower(): choice for choice in known}
    found = difflib.get_close_matches(str(name).lower(), folded, n=3, cutoff=0.5)
    if found:
        hint = "did you mean " + " or ".join(folded[match] for match in found) + "?"
    elif len(known) <= 12:
        hint = "choose from " + ", ".join(known)
    else:
        hint = f"choose from {len(known)} names, such as " + ", ".join(known[:3])
    return InputError(f"unknown {kind} {name!r}: {hint}")
