"""Print the tests of what differs from a branch: `python tests/helpers/changed.py main`.

A changed module stands for the tests of its name and its folder's; a changed test for itself.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
ALWAYS = ["tests/whole/test_layout.py"]


def changed_files(base: str, root: Path = ROOT) -> list[str]:
    """Return the paths that differ from where this branch left `base`, and those not tracked."""

    def git(*words: str) -> list[str]:
        return subprocess.check_output(["git", *words], text=True, cwd=root).splitlines()

    (start,) = git("merge-base", base, "HEAD")
    return git("diff", "--name-only", start) + git("ls-files", "--others", "--exclude-standard")


def files_to_test(paths: list[str], root: Path = ROOT) -> list[str]:
    """Return the test files of changed files, each once, the layout's rules first."""
    found = dict.fromkeys(ALWAYS)
    for path in map(Path, sorted(set(paths))):
        if path.suffix not in (".py", ".pyi"):
            continue
        if path.parts[0] == "tests" and path.name.startswith("test_"):
            candidate = path
        elif path.parts[0] == "coordconv_rl":
            candidate = Path("tests", *path.parts[1:-1], f"test_{path.stem}.py")
        else:
            continue
        if (root / candidate).is_file():
            found[candidate.as_posix()] = None
    return list(found)


if __name__ == "__main__":
    print("\n".join(files_to_test(changed_files(sys.argv[1]))))
