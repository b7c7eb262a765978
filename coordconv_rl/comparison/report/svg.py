"""Figures as files, and as SVG that takes on the colours of the page around it."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from markupsafe import escape
from matplotlib.figure import Figure

from coordconv_rl.files import write_bytes_atomic

INK = "#1c2024"  # of text and axes
PAGE_COLOURS = {  # what the page replaces by colours that suit its light or dark background
    INK: "currentColor",
    "#555555": "var(--soft)",
    "#0072b2": "var(--blue)",
}
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "coordconv_rl",  # the same figure gives the same file
    "font.size": 10.0,
    "font.family": "sans-serif",
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


@dataclass(frozen=True)
class Drawing:
    """A figure of the report.

    Attributes:
        name: The files' name, without its ending.
        caption: What it shows, in a sentence or two.
        alternative: What somebody who cannot see it should know.
        svg: The figure as an SVG element to put into a page.
        wide: Whether it needs the page's whole width.
    """

    name: str
    caption: str
    alternative: str
    svg: str
    wide: bool = False


@contextmanager
def style() -> Iterator[None]:
    """Draw in the report's style inside a `with` block."""
    with mpl.rc_context(_STYLE):
        yield


def save_figure(
    figure: Figure, folder: Path, name: str, caption: str, alternative: str, *, wide: bool = False
) -> Drawing:
    """Write a figure as PNG and SVG and return it as a drawing for the page.

    Args:
        figure: The figure, drawn inside `style`.
        folder: Where the files go; it exists.
        name: Their name, without its ending.
        caption: As in `Drawing`, and so are the arguments below.
        alternative: The alternative text.
        wide: Whether it needs the page's whole width.
    """
    for kind, options in (("png", {"dpi": 144}), ("svg", {"metadata": {"Date": None}})):
        data = io.BytesIO()
        transparent = kind == "svg"
        figure.savefig(data, format=kind, transparent=transparent, **options)
        figure.set_layout_engine("none")  # the layout is made: the next file has the same
        write_bytes_atomic(folder / f"{name}.{kind}", data.getvalue())
    text = data.getvalue().decode()
    return Drawing(name, caption, alternative, inline(text, name, alternative), wide)


def inline(svg: str, name: str, alternative: str) -> str:
    """Turn an SVG file that matplotlib wrote into an element for a page.

    Its ids get the figure's name in front, so that two figures share none, its text and axes take
    the page's colour, and it gets a role and an alternative text.
    """
    opening, body = svg[svg.index("<svg") :].split(">", 1)
    opening = re.sub(r' (width|height)="[^"]*"', "", opening)
    opening += f' role="img" aria-label="{escape(alternative)}"'
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'(\bid="|xlink:href="#|url\(#)', rf"\g<1>{name}-", body)
    for colour, own in PAGE_COLOURS.items():
        body = body.replace(colour, own)
    return f"{opening}>{body}"
