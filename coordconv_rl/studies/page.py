"""One HTML page for a study: table, ratios and pictures, in one file without scripts."""

from __future__ import annotations

import base64
import html
from pathlib import Path

from coordconv_rl.files import write_text_atomic
from coordconv_rl.studies.results import Ratio, Row, table
from coordconv_rl.studies.study import Study

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1250px; margin: 2em auto; padding: 0 1em;
       color: #222; }
table { border-collapse: collapse; margin: 1em 0; display: block; overflow-x: auto; }
th, td { padding: .3em .7em; border-bottom: 1px solid #ddd; text-align: left; white-space: nowrap; }
th { border-bottom: 2px solid #888; }
img { max-width: 100%; height: auto; margin: .5em 0; }
footer { color: #666; font-size: 13px; }
"""


def html_table(head: list[str], lines: list[list[str]]) -> str:
    """Write a table as HTML."""
    cells = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in line) + "</tr>\n"
        for line in lines
    )
    return f"<table>\n<tr>{cells}</tr>\n{body}</table>\n"


def markdown_table(head: list[str], lines: list[list[str]]) -> str:
    """Write a table as Markdown."""
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def ratio_lines(study: Study, found: list[Ratio]) -> tuple[list[str], list[list[str]]]:
    """Write the ratios as a table with the paper's figures beside them."""
    head = ["split", "convolution / CoordConv", "here", "the paper"]
    lines = []
    for ratio in found:
        lines += [
            [ratio.split, "time to the same value", ratio.show_time(), study.paper.time_ratio],
            [ratio.split, "parameters", f"{ratio.parameters:.1f}", study.paper.parameter_ratio],
        ]
    return head, lines


def settings_lines(rows: list[Row]) -> tuple[list[str], list[list[str]]]:
    """Write which setting each row is from, and of how many."""
    head = ["split", "model", "setting", "settings tried"]
    return head, [[r.split, r.model, r.setting.name, str(r.tried)] for r in rows]


def write_page(study: Study, rows: list[Row], found: list[Ratio], root: Path) -> Path:
    """Write `index.html` in the study's folder, pictures included.

    Args:
        study: The study.
        rows: Its table.
        found: Its ratios.
        root: The study's folder, which holds the pictures already.

    Returns:
        The page's path.
    """
    pictures = ""
    for split in dict.fromkeys(row.split for row in rows):
        pictures += f"<h2>{split} split</h2>\n"
        for kind in ("canvas", "curves"):
            data = base64.b64encode((root / f"{split}-{kind}.png").read_bytes()).decode()
            pictures += f'<img alt="{split} {kind}" src="data:image/png;base64,{data}">\n'
    page = f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{html.escape(study.name)}: CoordConv against convolution</title><style>{STYLE}</style></head>
<body>
<h1>{html.escape(study.name)}</h1>
<p>{html.escape(study.question)}</p>
{html_table(*table(study, rows))}
<p>Mean ± standard deviation over seeds. <em>best test</em> is the best value at any evaluation,
<em>s to best</em> the processor seconds of one core until then, without the evaluations.
<em>convolution</em> shows the best setting so far, chosen by its test value: that favours it.
<em>shuffled</em> is CoordConv with its coordinates at randomly permuted pixels: the same
parameters, no geometry.</p>
{html_table(*ratio_lines(study, found))}
<p>The paper (Liu et al. 2018, arXiv 1807.03247): CoordConv
{html.escape(study.paper.coordconv)}; convolution {html.escape(study.paper.convolution)}.</p>
{pictures}
<h2>Settings</h2>
{html_table(*settings_lines(rows))}
<footer>coordconv-rl study {html.escape(study.name)}</footer>
</body></html>
"""
    path = root / "index.html"
    write_text_atomic(path, page)
    return path
