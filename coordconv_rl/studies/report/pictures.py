"""The paper's pictures, drawn from results: the canvas, and values against time.

Functions draw a figure and return it; `save` writes one.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from coordconv_rl.files import write_bytes_atomic
from coordconv_rl.studies.options import Split
from coordconv_rl.studies.report.box_pictures import boxes_figure
from coordconv_rl.studies.report.image_pictures import image_figures
from coordconv_rl.studies.report.results import Row, show
from coordconv_rl.studies.tasks import CANVAS, Study, split_positions
from coordconv_rl.studies.training import load_drawn

MODEL_COLOURS = {"coordconv": "#0072b2", "convolution": "#d55e00", "shuffled": "#7f7f7f"}


def canvas_figure(study: Study, split: Split, rows: list[Row], root: Path) -> Figure:
    """Draw the positions of seed 0, and what each model paints for all of them together.

    Upper row: training positions; lower row: held-out ones. The first column is what is to be
    found, the others are the models' summed predictions, each on its own scale of grey.
    """
    train, validation, test = split_positions(split, 0)
    positions = {"train": torch.cat([train, validation]), "test": test}
    columns = [row for row in rows if row.split == split]
    figure = Figure(figsize=(2.6 * (1 + len(columns)), 5.6), layout="constrained")
    axes = figure.subplots(2, 1 + len(columns), squeeze=False)
    for line, (kind, held) in enumerate(positions.items()):
        image = np.zeros((CANVAS, CANVAS))
        image[held[:, 1], held[:, 0]] = 1
        _draw(axes[line][0], image, f"{kind}: {len(held)} positions")
    for column, row in enumerate(columns, start=1):
        drawn = load_drawn(root / row.results[0].unit)
        for line, kind in enumerate(("train", "test")):
            if drawn is None:
                axes[line][column].set_axis_off()
                continue
            values = row.results[0].train if kind == "train" else row.results[0].test
            title = f"{row.model}, {kind}: {show(study.measure, [values or 0.0])}"
            _draw(axes[line][column], drawn["canvases"][line].numpy(), title)
    figure.suptitle(f"{study.name}, {split} split, seed 0: summed predictions")
    return figure


def _draw(axes: Axes, image: npt.NDArray[np.float64], title: str) -> None:
    darkest = max(float(image.max()), 1.7 * float(image.mean()), 1e-9)  # all alike is grey
    axes.imshow(image, cmap="gray_r", vmin=0, vmax=darkest)
    axes.set_title(title, fontsize=8)
    axes.set_xticks([0, CANVAS - 1])
    axes.set_yticks([0, CANVAS - 1])


def curve_figure(study: Study, split: Split, rows: list[Row]) -> Figure:
    """Draw each seed's test value against its training seconds, on a log axis."""
    figure = Figure(figsize=(7.2, 4.4), layout="constrained")
    axes = figure.subplots()
    factor = 100 if study.measure.unit == "%" else 1
    for row in (row for row in rows if row.split == split):
        for index, result in enumerate(row.results):
            axes.plot(
                [max(point.seconds, 1e-3) for point in result.curve],
                [factor * point.test for point in result.curve],
                color=MODEL_COLOURS[row.model],
                marker=".",
                alpha=0.7,
                linewidth=1.2,
                label=f"{row.model} ({row.parameters:,} parameters)" if index == 0 else None,
            )
    if study.measure.goal is not None:
        goal = factor * study.measure.goal
        axes.axhline(goal, color="black", linewidth=0.8, linestyle=":", label=f"goal {goal:g}")
    axes.set_xscale("log")
    if not study.measure.higher_is_better:
        axes.set_yscale("log")
    unit = f" ({study.measure.unit})" if study.measure.unit else ""
    axes.set_ylabel(f"test {study.measure.name}{unit}")
    axes.set_xlabel("seconds of training on one core (log)")
    axes.set_title(f"{study.name}, {split} split: one line a seed")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return figure


def png(figure: Figure) -> bytes:
    """Render a figure as a PNG file's bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


def pixels(figure: Figure) -> npt.NDArray[np.uint8]:
    """Render a figure as an image of shape (height, width, 3), uint8."""
    drawn = FigureCanvasAgg(figure)
    drawn.draw()  # type: ignore[no-untyped-call]
    return np.asarray(drawn.buffer_rgba())[..., :3].copy()  # type: ignore[no-untyped-call]


def _figures(study: Study, split: Split, rows: list[Row], root: Path) -> dict[str, Figure]:
    """Draw a split's pictures, by kind: what the study draws, then the curves."""
    if study.pictures == "boxes":
        figures = {"boxes": boxes_figure(study, split, rows, root)}
    elif study.pictures == "images":
        figures = image_figures(study, split, rows, root)
    else:
        figures = {"canvas": canvas_figure(study, split, rows, root)}
    return {**figures, "curves": curve_figure(study, split, rows)}


def draw_all(study: Study, rows: list[Row], root: Path) -> dict[str, Figure]:
    """Draw the pictures of all splits, save them as PNG in `root`, and return them by file name."""
    figures: dict[str, Figure] = {}
    for split in dict.fromkeys(row.split for row in rows):
        for kind, figure in _figures(study, split, rows, root).items():
            figures[f"{split}-{kind}.png"] = figure
    for name, figure in figures.items():
        write_bytes_atomic(root / name, png(figure))
    return figures
