"""The report as Markdown, for pull requests, notes and terminals."""

from __future__ import annotations

import re
from collections.abc import Iterable

from coordconv_rl.comparison.report.page import AlgoPart, Page
from coordconv_rl.comparison.report.svg import Drawing
from coordconv_rl.comparison.report.tables import Cell, Table
from coordconv_rl.comparison.report.verdict import Verdict


def markdown(page: Page) -> str:
    """Return the report as GitHub-flavoured Markdown; whatever comes from the folder is escaped."""
    lines = [f"# {escape(page.title)}: does CoordConv help?", ""]
    lines += [f"{escape(page.description)}", "", escape(page.made), ""]
    lines += [line for text in page.banners for line in (f"> **{escape(text)}**", "")]
    lines += [line for part in page.algos for line in verdict_as_markdown(part.verdict)]
    for part in page.algos:
        lines += _algo(part)
    lines += ["## Runs", "", *tables_as_markdown(page.runs), "The numbers as files:", ""]
    lines += [*(f"- [{name}]({name}): {what}" for name, what in page.files.items()), ""]
    lines += ["## Does the agent use its coordinates?", ""]
    if not page.inspections:
        lines += ["No agent was inspected (`coordconv-rl inspect FOLDER` does it).", ""]
    lines += [*(f"- {escape(text)}" for text in page.inspection_findings), ""]
    lines += [line for text in page.inspection_notes for line in (text, "")]
    lines += [*_figures(page.inspection_figures), *tables_as_markdown(page.inspections)]
    lines += ["## Protocol", ""]
    lines += [f"- {escape(name)}: {escape(value)}" for name, value in page.protocol]
    lines += [
        "",
        "Reproduce it:",
        "",
        f"    {_one_line(page.command)}",
        "",
        "How numbers are made:",
    ]
    lines += ["", *(f"- {line}" for line in page.methods)]
    return "\n".join(lines) + "\n"


def verdict_as_markdown(verdict: Verdict) -> list[str]:
    """Return a verdict, line by line: a paragraph, or a list where there are several pairs."""
    if len(verdict.texts) == 1:
        return [f"**{escape(str(verdict))}**", ""]
    return [
        f"**{escape(verdict.heading)}:**", "", *(f"- {escape(text)}" for text in verdict.texts), "",
    ]  # fmt: skip


def _algo(part: AlgoPart) -> list[str]:
    lines = [f"## {part.algo.upper()}", ""]
    lines += [f"- {escape(text)}" for text in part.warnings]
    lines += ["", *_figures(part.figures), *tables_as_markdown(part.tables)]
    return lines + tables_as_markdown(part.details)


def _figures(figures: Iterable[Drawing]) -> list[str]:
    return [
        line
        for figure in figures
        for line in (f"![{escape(figure.alternative)}]({figure.name}.png)", "")
    ]


def tables_as_markdown(tables: Iterable[Table]) -> list[str]:
    """Return tables with their captions, line by line."""
    lines = []
    for table in tables:
        lines += [f"### {escape(table.caption)}", "", _row(map(escape, table.columns))]
        lines.append(_row(["---"] * len(table.columns)))
        lines += [_row(map(_cell, row)) for row in table.rows]
        lines.append("")
    return lines


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell) -> str:
    return escape(f"{cell.text} ({cell.detail})" if cell.detail else cell.text)


def escape(text: str) -> str:
    """Return text in which nothing is Markdown or HTML, on one line."""
    return re.sub(r"([\\`*_\[\]<>|#~!])", r"\\\1", _one_line(text))


def _one_line(text: str) -> str:
    return " ".join(text.split())
