"""What README and documentation show: fenced snippets, and commands within sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "benchmarks/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
FENCE = re.compile(
    r"^(?:<!-- (?P<note>[^\n]*) -->\n)?```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
INLINE = re.compile(r"`((?:\.venv/bin/)?(?:coordconv-rl|python|pytest|make) [^`\n]+)`")


@dataclass(frozen=True)
class Snippet:
    """A fenced block.

    Attributes:
        page: Its file.
        line: Where it stands.
        language: As the fence says, or "".
        title: The file that it is meant as, or "".
        note: The comment before it: what the tests do with it.
        text: What it says.
    """

    page: Path
    line: int
    language: str
    title: str
    note: str
    text: str

    @property
    def where(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def snippets(page: Path) -> list[Snippet]:
    """Return a page's fenced blocks, in order."""
    source = page.read_text(encoding="utf-8")
    found = []
    for match in FENCE.finditer(source):
        language, _, rest = match["info"].partition(" ")
        title = re.search(r'title="([^"]+)"', rest)
        line = source.count("\n", 0, match.start("text"))
        note, text = match["note"] or "", match["text"]
        found.append(Snippet(page, line, language, title[1] if title else "", note, text))
    return found


def block_commands(page: Path) -> Iterator[tuple[str, str]]:
    """Yield the lines of a page's shell blocks, joined where they go on, with their place."""
    for snippet in snippets(page):
        if snippet.language in ("", "bash", "sh", "console"):
            for line in snippet.text.replace("\\\n", " ").splitlines():
                if line.strip():
                    yield snippet.where, line.strip()


def inline_commands(page: Path) -> Iterator[tuple[str, str]]:
    """Yield the commands within a page's sentences and tables, with their place."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for match in INLINE.finditer(text):
        yield str(page.relative_to(ROOT)), " ".join(match[1].split())
