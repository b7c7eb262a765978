"""The report as Markdown."""

from __future__ import annotations

import re


def test_markdown_says_the_same_as_the_page(finished):
    text = (finished / "report" / "report.md").read_text(encoding="utf-8")
    assert "A comparison with \\<made-up\\> scores & none of them real" in text
    assert "| PPO | Breakout | 5 of 5 | 5 of 5 | 5 of 5 |" in text
    for name in re.findall(r"\]\(([^)]+)\)", text):
        assert (finished / "report" / name).is_file()
