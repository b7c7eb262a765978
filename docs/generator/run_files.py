"""Tables of files, from the constants that name them."""

from __future__ import annotations

import re
from pathlib import Path

from coordconv_rl import runs
from coordconv_rl.comparison.report.as_csv import CSV_FILES

LAYOUT = Path(runs.__file__).with_name("layout.py")
CONSTANT = re.compile(r'^[A-Z_]+ = "([^"]+)"(?:  # (.*))?$')


def file_table(heading: str) -> str:
    """Return the files below a comment of `runs/layout.py`, each with its own comment.

    Args:
        heading: The comment, without its full stop.

    Raises:
        ValueError: A file has no comment, or there is no such heading.
    """
    _, found, below = LAYOUT.read_text(encoding="utf-8").partition(f"# {heading}.\n")
    if not found:
        raise ValueError(f"{LAYOUT.name} has no comment {heading!r}")
    rows = ["| name | what it is |", "|---|---|"]
    for line in below.partition("\n\n")[0].splitlines():
        match = CONSTANT.match(line)
        if match is None or match.group(2) is None:
            raise ValueError(f"{LAYOUT.name} does not say what this names: {line}")
        rows.append(f"| `{match.group(1)}` | {match.group(2)[:1].upper()}{match.group(2)[1:]} |")
    return "\n".join(rows)


def csv_table(_: str) -> str:
    """Return the report's CSV files."""
    rows = ["| name | what it holds |", "|---|---|"]
    return "\n".join([*rows, *(f"| `{name}` | {text} |" for name, text in CSV_FILES.items())])
