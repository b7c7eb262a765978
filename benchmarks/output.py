"""Results as tables and JSON."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from statistics import mean
from typing import Any

from rich.table import Table

from coordconv_rl.runs.record import machine, now, versions


def header(options: dict[str, Any], cores: int) -> dict[str, Any]:
    """Return what a reader of the JSON must know about the machine and the moment."""
    packages = versions()
    return {
        "format": 1,
        "started": now(),
        "options": options,
        "cores": cores,
        "load_at_start": os.getloadavg(),
        "machine": machine() | {"flags": fast_flags()},
        "versions": packages,
    }


def fast_flags() -> list[str]:
    """Return the processor's bfloat16 instructions, as Linux names them."""
    listing = Path("/proc/cpuinfo")
    words = set(listing.read_text(encoding="utf-8").split()) if listing.is_file() else set()
    return sorted(words & {"amx_bf16", "avx512_bf16", "avx512f", "avx2"})


def number(value: float) -> str:
    """Return a value with three digits or all before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(result: dict[str, Any]) -> Table:
    """Return one contest's table."""
    rounds = max((len(row["values"]) for row in result["rows"]), default=0)
    title = f"({result['part']}) {result['title']}; {rounds} round(s)"
    shown = Table(title=title, title_justify="left")
    shown.add_column("")
    for heading in (result["unit"], "min", "max", "ratio", "min", "max"):
        shown.add_column(heading, justify="right")
    for row in result["rows"]:
        ratio = row.get("ratio")
        ratios = [f"{ratio[key]:.2f}" for key in ("median", "min", "max")] if ratio else ["-"] * 3
        if row["name"] == result["baseline"]:
            ratios = ["1", "", ""]
        values = [number(row[key]) for key in ("median", "min", "max")]
        shown.add_row(row["name"], *values, *ratios)
    for name, reason in result["failures"].items():
        shown.add_row(name, "failed", "", "", "", "", "")
        shown.caption = reason[:200]
    return shown


def mean_over_games(results: Iterable[dict[str, Any]]) -> dict[str, float]:
    """Return part (a)'s ratios, each the mean over the games of the medians, by contestant."""
    ratios: dict[str, list[float]] = {}
    for result in results:
        for row in result["rows"]:
            if result["part"] == "a" and "ratio" in row and row["name"] != result["baseline"]:
                ratios.setdefault(row["name"], []).append(row["ratio"]["median"])
    return {name: mean(values) for name, values in ratios.items()}
