"""The picture of an inspection: scores by treatment, and where coordinates act on the image."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from coordconv_rl.files import write_bytes_atomic


def write_figure(
    path: Path, result: dict[str, Any], heat: np.ndarray[Any, np.dtype[np.float32]]
) -> None:
    """Draw an inspection and write it as PNG.

    Args:
        path: The file.
        result: What `inspection.json` holds.
        heat: Root mean square over channels of what coordinates add, by position, (H', W').
    """
    figure = Figure(figsize=(8.4, 3.6), layout="constrained")
    scores, where = figure.subplots(1, 2, width_ratios=(1.2, 1))
    for place, found in enumerate(result["scores"].values()):
        games = found["scores"]
        across = place + np.linspace(-0.18, 0.18, len(games)) if len(games) > 1 else [place]
        scores.plot(across, games, ".", color="#0072B2", alpha=0.5)
        scores.plot([place - 0.3, place + 0.3], [found["mean"]] * 2, color="#D55E00", linewidth=2)
    scores.set_xticks(range(len(result["scores"])), list(result["scores"]))
    scores.set_xlabel("coordinate channels")
    scores.set_ylabel("raw score: games, and their mean")
    scores.set_title(result["run"], fontsize="medium")
    scores.spines[["top", "right"]].set_visible(False)
    image = where.imshow(heat, cmap="viridis", vmin=0)
    figure.colorbar(image, ax=where, label="what they add, RMS over channels")
    where.set_title(f"{result['share']:.1%} of the first layer's variance", fontsize="medium")
    where.set_xlabel("column of the first layer's output")
    where.set_ylabel("row")
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=144)
    write_bytes_atomic(path, data.getvalue())
