"""Canvases of the `detection` study with the digits' boxes and the proposals drawn in."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from coordconv_rl.studies.options import Split
from coordconv_rl.studies.report.results import Row
from coordconv_rl.studies.tasks import CANVAS, Study, to_corners, true_iou
from coordconv_rl.studies.training import load_drawn

DRAWN_CANVASES = 6  # canvases of each model
TRUTH, BEST, OTHER = "#e377c2", "#2ca02c", "#ffbb33"


def boxes_figure(study: Study, split: Split, rows: list[Row], root: Path) -> Figure:
    """Draw the same test canvases for each model, seed 0: one row a model.

    Digits' boxes are pink, their best proposals green, the other proposals yellow and the fainter
    the less sure the network is.
    """
    columns = [row for row in rows if row.split == split]
    figure = Figure(figsize=(1.9 * DRAWN_CANVASES, 2.2 * len(columns)), layout="constrained")
    axes = figure.subplots(len(columns), DRAWN_CANVASES, squeeze=False)
    for line, row in enumerate(columns):
        drawn = load_drawn(root / row.results[0].unit)
        for index in range(DRAWN_CANVASES):
            axes[line][index].set_axis_off()
            if drawn is not None and index < len(drawn["canvases"]):
                _draw_canvas(axes[line][index], {name: v[index] for name, v in drawn.items()})
        value = study.measure.show(row.results[0].test or 0.0)
        axes[line][0].set_title(f"{row.model}: {value}", fontsize=9, loc="left")
    figure.suptitle(f"{study.name}, {split}, seed 0: digits (pink), best proposals (green), others")
    return figure


def _draw_canvas(axes: Axes, drawn: dict[str, Tensor]) -> None:
    extent = (0, CANVAS, CANVAS, 0)  # so that a box's numbers are pixels' edges
    axes.imshow(drawn["canvases"].numpy(), cmap="gray", vmin=0, vmax=1, extent=extent)
    corners, chances, truth = drawn["proposals"], drawn["chances"], drawn["truth"]
    iou = true_iou(corners[None], truth[None])[0]
    best = {int(iou[:, box].argmax()) for box in range(len(truth)) if truth[box, 2] > 0}
    for index, (box, chance) in enumerate(zip(corners, chances.tolist(), strict=True)):
        if chance > 0:
            _draw_box(axes, box, BEST if index in best else OTHER, 1 if index in best else chance)
    for box in to_corners(truth[truth[:, 2] > 0]):
        _draw_box(axes, box, TRUTH, 1.0)


def _draw_box(axes: Axes, corners: Tensor, colour: str, alpha: float) -> None:
    left, top, right, bottom = corners.tolist()
    frame = Rectangle((left, top), right - left, bottom - top, alpha=alpha)
    frame.set(fill=False, edgecolor=colour, linewidth=1.5)
    axes.add_patch(frame)
