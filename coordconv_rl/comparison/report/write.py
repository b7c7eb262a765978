"""The report of an experiment: a page that opens offline, Markdown, CSV and figures."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import jinja2
from markupsafe import Markup

from coordconv_rl.comparison.baselines import pairs_against
from coordconv_rl.comparison.report.as_csv import write_tables
from coordconv_rl.comparison.report.as_markdown import markdown
from coordconv_rl.comparison.report.page import Page, build_page
from coordconv_rl.comparison.results import NOT_WHOLE, read_results
from coordconv_rl.comparison.statistics import analyse
from coordconv_rl.errors import InputError
from coordconv_rl.files import clear_left_behind, refuse_links, write_text_atomic

TEMPLATE = Path(__file__).with_name("page.html.j2")
FIGURE = re.compile(
    r"(learning_curves|iqm|improvement|profile|efficiency|inspection)_.*\.(png|svg)"
)


def write_report(folder: Path | str, baseline: str | None = None) -> Path:
    """Write the report of an experiment, also of one that still runs or has failed runs.

    Args:
        folder: The experiment's folder. The report goes to its folder `report`.
        baseline: The arm to compare all others with, in place of the pairs that the experiment
            declares; the report says so.

    Returns:
        The path of the page, `report/index.html`.

    Raises:
        InputError: The folder holds no experiment, no started run, a damaged file or runs of
            another experiment, has no such arm, or it cannot be written.
    """
    found = read_results(folder)
    pairs = None if baseline is None else pairs_against(found.experiment, baseline)
    if all(run.record is None for run in found.runs):
        broken = [run for run in found.runs if run.status == NOT_WHOLE]
        if broken:
            raise InputError(
                f"{folder} holds no run to report on; {len(broken)} of {len(found.runs)} are not "
                f"whole, the first: {broken[0].reason}"
            )
        raise InputError(
            f"{folder} holds an experiment of which no run has started: start it with "
            "coordconv-rl compare, then report on it"
        )
    target = found.folder / "report"
    refuse_links(found.folder)
    try:
        target.mkdir(exist_ok=True)
        clear_left_behind(target)
        before = _figures(target)
        analyses = [analyse(found, algo, pairs) for algo in found.experiment.algos]
        write_tables(target, found, analyses)
        page = build_page(found, analyses, target)
        write_text_atomic(target / "report.md", markdown(page))
        write_text_atomic(target / "index.html", html(page))
        for path in before.items() & _figures(target).items():  # which this report does not have
            (target / path[0]).unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"cannot write the report to {target}: {error.strerror}") from error
    return target / "index.html"


def _figures(target: Path) -> dict[str, tuple[int, int]]:
    """Return the figures in a report's folder by name, with what tells whether they are new."""
    found = (path for path in target.iterdir() if FIGURE.fullmatch(path.name))
    return {path.name: (path.lstat().st_ino, path.lstat().st_mtime_ns) for path in found}


def html(page: Page) -> str:
    """Return the page as one HTML document; whatever comes from the folder is escaped."""
    return _template().render(page=page, svg=Markup)


@lru_cache(maxsize=1)
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
