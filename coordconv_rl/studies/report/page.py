"""One HTML page for a study: table, ratios and pictures, in one file without scripts."""

from __future__ import annotations

import base64
import html
import statistics
from pathlib import Path

from coordconv_rl.files import write_text_atomic
from coordconv_rl.studies.report.measures import measures_table
from coordconv_rl.studies.report.ratios import Ratio, ratio_lines
from coordconv_rl.studies.report.results import Row, cautions, show, table
from coordconv_rl.studies.tasks import Study
from coordconv_rl.studies.training import FINALISTS, LAST_EVALUATIONS

PAGE_STYLE = """
:root { --ink: #1c2024; --soft: #5b6470; --page: #fff; --card: #f5f6f8; --line: #d7dbe0; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ee; --soft: #a3adb9; --page: #14171b; --card: #1d2228; --line: #363e48; }
}
body { margin: 0 auto; max-width: 78rem; padding: 1rem; background: var(--page); color: var(--ink);
       font: 16px/1.55 system-ui, sans-serif; }
h1, h2 { line-height: 1.25; }
h2 { margin-top: 2.5rem; padding-top: .5rem; border-top: 1px solid var(--line); }
p { max-width: 44rem; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; margin: 1rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .9rem;
        font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .6rem; border-top: 1px solid var(--line); text-align: left;
         white-space: nowrap; }
th { background: var(--card); border-top: 0; }
img { display: block; width: 100%; max-width: max-content; min-width: 36rem; height: auto;
      background: #fff; }
footer, .soft { color: var(--soft); font-size: .875rem; }
"""
PICTURES = {
    "canvas": "positions and predictions",
    "boxes": "digits and proposals",
    "samples": "real and generated images",
    "centres": "where objects are",
    "interpolations": "images between two noises",
    "curves": "test values by time",
}
NOTES = (
    "Mean ± standard deviation over seeds. Best test is the best value at any evaluation; s to "
    "best, the processor seconds of one core until then; s in all, those of the whole training. "
    "Evaluations are not counted.",
    "Of several settings, each is trained once without the validation part, and the best three on "
    "that part twice more (but for the control, and no oftener than there are seeds), with other "
    "seeds than those that are shown. The one of the best mean is trained again on all but the "
    "test part, and shown. Where splits are random, each seed has its own, so that a validation "
    "part to choose by holds positions that other seeds test. What grids hold was set beforehand, "
    "some of CoordConv's by trials that looked at test values: docs/studies.md says which.",
    "Shuffled is CoordConv with its coordinates at randomly permuted pixels: the same parameters, "
    "no geometry.",
)


LATE_NOTE = (
    "Adversaries go up and down for as long as they train: train, test and the further measures "
    f"are means over the last {LAST_EVALUATIONS} evaluations."
)


def html_table(head: list[str], lines: list[list[str]]) -> str:
    """Write a table as HTML."""
    cells = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in line) + "</tr>\n"
        for line in lines
    )
    return f'<div class="scroll" tabindex="0"><table>\n<tr>{cells}</tr>\n{body}</table></div>\n'


def markdown_table(head: list[str], lines: list[list[str]]) -> str:
    """Write a table as Markdown."""
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def settings_lines(study: Study, rows: list[Row]) -> tuple[list[str], list[list[str]]]:
    """Write which setting each row is from, and below it the next best that it was chosen from.

    Their values on the validation part are means over the trainings to choose by.
    """
    head = ["split", "model", "setting", f"validation {study.measure.name}", "epochs"]
    lines = []
    for row in rows:
        tried = row.tried[:FINALISTS]
        texts = [f"{show(study.measure, list(t.values))} (n {len(t.values)})" for t in tried]
        chosen = texts[0] if texts else "no choice"
        lines.append([row.split, row.model, row.setting.name, chosen, _epochs(row)])
        rivals = zip(tried[1:], texts[1:], strict=True)
        lines += [["", "", one.setting.name, text, "not chosen"] for one, text in rivals]
    return head, lines


def _epochs(row: Row) -> str:
    """Write the epochs trained, of those that the setting allows; means over seeds."""
    done = statistics.fmean(result.curve[-1].epoch for result in row.results)
    return f"{done:.1f} of at most {row.setting.epochs}"


def _own_notes(study: Study) -> tuple[str, ...]:
    return (LATE_NOTE,) if study.method == "adversarial" else ()


def write_markdown(study: Study, rows: list[Row], found: list[Ratio], root: Path) -> Path:
    """Write `table.md` in the study's folder: the tables alone; return its path."""
    parts = [
        f"### {study.name}",
        study.question,
        markdown_table(*table(study, rows)),
        *cautions(rows),
        *(markdown_table(*more) for more in [measures_table(study, rows)] if more),
        *_own_notes(study),
        markdown_table(*ratio_lines(study, found)),
        study.paper.sentence,
        markdown_table(*settings_lines(study, rows)),
    ]
    path = root / "table.md"
    write_text_atomic(path, "\n\n".join(parts) + "\n")
    return path


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
    more = measures_table(study, rows)
    notes = (*cautions(rows), *NOTES, *_own_notes(study))
    soft = "".join(f'<p class="soft">{html.escape(note)}</p>\n' for note in notes)
    page = f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{html.escape(study.name)}: CoordConv against convolution</title>
<style>{PAGE_STYLE}</style></head>
<body>
<h1>{html.escape(study.name)}</h1>
<p>{html.escape(study.question)}</p>
{html_table(*table(study, rows))}
{html_table(*more) if more else ""}
{soft}
{html_table(*ratio_lines(study, found))}
<p>{html.escape(study.paper.sentence)}</p>
{_pictures(study, rows, root)}
<h2>Settings</h2>
{html_table(*settings_lines(study, rows))}
<footer>coordconv-rl study {html.escape(study.name)}</footer>
</body></html>
"""
    path = root / "index.html"
    write_text_atomic(path, page)
    return path


def _pictures(study: Study, rows: list[Row], root: Path) -> str:
    """Write the pictures of each split as HTML, the files' bytes inside."""
    parts = []
    for split in dict.fromkeys(row.split for row in rows):
        sentence = html.escape(study.splits[split])
        parts.append(f"<h2>{split}</h2>\n<p>{sentence[0].upper()}{sentence[1:]}.</p>")
        for kind, text in PICTURES.items():
            path = root / f"{split}-{kind}.png"
            if not path.exists():
                continue
            data = base64.b64encode(path.read_bytes()).decode()
            source = f'src="data:image/png;base64,{data}"'
            parts.append(
                f'<div class="scroll" tabindex="0"><img alt="{split}: {text}" {source}></div>'
            )
    return "\n".join(parts)
