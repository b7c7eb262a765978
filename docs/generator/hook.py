"""What the pages' builder calls: parts that are made from the code, and pages from elsewhere.

A line `<!-- KIND: WHAT -->` of a page is replaced by what the code says, so no fact stands twice:

- `keys: Class`, the fields of a configuration's dataclass, and `presets: algo`;
- `commands: all`, every command's options, and `output: words`, what a command prints;
- `names: module`, a table of what a module exports, and `api: module`, all of it in full;
- `files: heading`, the names of files as `runs/layout.py` has them, and `csv: report`.

Nothing here is fetched from a network, and building needs no torch.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import commands
import keys
import names
import run_files
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
FROM_ELSEWHERE = {  # pages of the site, and the files of the checkout that they are
    "speed.md": "benchmarks/README.md",
    "contributing.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
}
MAKERS: dict[str, Callable[[str], str]] = {
    "keys": keys.key_table,
    "presets": keys.preset_table,
    "commands": commands.all_commands,
    "output": commands.output,
    "names": names.name_table,
    "api": names.full_text,
    "files": run_files.file_table,
    "csv": run_files.csv_table,
}
MARKER = re.compile(r"^<!-- ([a-z]+): (.+) -->$", re.MULTILINE)
LINK = re.compile(r"(?<!\!)\[([^\]\n]+)\]\(([^)\s#:]+)(#[^)\s]*)?\)")
FENCED = re.compile(r"^(```.*?^```)$", re.MULTILINE | re.DOTALL)
LIST_AFTER_TEXT = re.compile(r"^((?![-*>|#\s])\S.*)\n(?=(?:- |1\. ))", re.MULTILINE)


def on_files(files: Files, config: Any) -> Files:
    """Add the pages whose text is elsewhere in the checkout."""
    for page, source in FROM_ELSEWHERE.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Make a page of the site of its source."""
    path = page.file.src_uri
    home = posixpath.dirname(FROM_ELSEWHERE.get(path, f"docs/{path}"))
    parts = FENCED.split(markdown)
    parts[::2] = [site_text(part, home, path) for part in parts[::2]]
    return "".join(parts)


def site_text(markdown: str, home: str, path: str) -> str:
    """Return text of a page as it stands on the site; what is fenced is left out before."""
    markdown = LINK.sub(lambda match: _link(match, home, path), markdown)
    markdown = LIST_AFTER_TEXT.sub(r"\1\n\n", markdown)  # as GitHub reads it
    return MARKER.sub(made, markdown)


def made(match: re.Match[str]) -> str:
    """Return what stands in a marker's place."""
    kind, what = match.groups()
    if kind not in MAKERS:
        raise PluginError(f"nothing makes {match.group()}: there are {', '.join(MAKERS)}")
    return MAKERS[kind](what)


def _link(match: re.Match[str], home: str, path: str) -> str:
    """Lead a link between the checkout's files to the site's page, if there is one.

    What is in the checkout and not on the site keeps its words alone, since the checkout's address
    is not known here. A link to nothing is left as it is, and the builder complains.
    """
    words, target, anchor = match.groups()
    found = posixpath.normpath(posixpath.join(home, target))
    pages = {source: page for page, source in FROM_ELSEWHERE.items()}
    if found in pages or found.startswith("docs/"):
        page = pages.get(found, found.removeprefix("docs/"))
        relative = posixpath.relpath(page, posixpath.dirname(path) or ".")
        return f"[{words}]({relative}{anchor or ''})"
    return words if (ROOT / found).exists() else match.group()
