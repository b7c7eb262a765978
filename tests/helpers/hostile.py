"""A working folder of the user's whose modules bear names that our processes import."""

from __future__ import annotations

from pathlib import Path

NAMES = ("json", "queue", "inspect", "pickle", "threading", "signal", "socket", "numpy", "torch",
         "yaml", "coordconv_rl")  # fmt: skip
SAID = "imported from the working folder"  # by a process that takes one of them


def make_hostile(folder: Path) -> Path:
    """Make such a folder, and return it."""
    folder.mkdir()
    for name in NAMES:
        (folder / f"{name}.py").write_text(f"raise SystemExit({SAID!r})\n")
    return folder
