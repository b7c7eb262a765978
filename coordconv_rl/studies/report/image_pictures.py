"""What the generators of the `generation` study make: samples, centres, interpolations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from coordconv_rl.studies.options import Split
from coordconv_rl.studies.report.results import Row
from coordconv_rl.studies.tasks import ModelName, Study, generation_size
from coordconv_rl.studies.training import load_drawn

GAP = 2  # white pixels between images
SAMPLE_COLUMNS = 12  # of a model's samples

Drawn = dict[ModelName, dict[str, Tensor]]
Picture = npt.NDArray[np.float64]


def image_figures(study: Study, split: Split, rows: list[Row], root: Path) -> dict[str, Figure]:
    """Draw samples, centres and interpolations of seed 0 of each model, real images beside them."""
    drawn = {
        row.model: found
        for row in rows
        if row.split == split and (found := load_drawn(root / row.results[0].unit)) is not None
    }
    if not drawn:
        return {}
    return {
        "samples": samples_figure(drawn, f"{study.name}, {split}, seed 0: generated images"),
        "centres": centres_figure(
            drawn, split, f"{study.name}, {split}, seed 0: where objects are"
        ),
        "interpolations": interpolations_figure(
            drawn, f"{study.name}, {split}, seed 0: from one noise to another"
        ),
    }


def tile(images: Tensor, columns: int) -> Picture:
    """Lay images out in a grid.

    Args:
        images: uint8, shape (n, 3, side, side).
        columns: Images in a line.

    Returns:
        Values of 0 to 1, shape (height, width, 3); a grey gap around each image.
    """
    side = images.shape[-1] + GAP
    lines = -(-len(images) // columns)
    grid = np.full((lines * side + GAP, columns * side + GAP, 3), 0.6)
    for index, image in enumerate(images.permute(0, 2, 3, 1).numpy() / 255):
        top, left = GAP + index // columns * side, GAP + index % columns * side
        grid[top : top + side - GAP, left : left + side - GAP] = image
    return grid


def samples_figure(drawn: Drawn, title: str) -> Figure:
    """Draw real images, then each model's, two lines of each."""
    first = next(iter(drawn.values()))
    images: dict[str, Tensor] = {"real": first["real"]}
    images |= {model: kept["images"] for model, kept in drawn.items()}
    return _stack({name: tile(some, SAMPLE_COLUMNS) for name, some in images.items()}, title)


def interpolations_figure(drawn: Drawn, title: str) -> Figure:
    """Draw images of noise that goes from one end to the other, from left to right."""
    between = {model: kept["between"] for model, kept in drawn.items()}
    tiles: dict[str, Picture] = {
        name: tile(some.flatten(0, 1), some.shape[1]) for name, some in between.items()
    }
    return _stack(tiles, title)


def _stack(tiles: dict[str, Picture], title: str) -> Figure:
    heights = [tile.shape[0] for tile in tiles.values()]
    figure = Figure(figsize=(9, 9 * sum(heights) / max(t.shape[1] for t in tiles.values()) + 1))
    figure.set_layout_engine("constrained")
    axes = figure.subplots(len(tiles), 1, squeeze=False, height_ratios=heights)
    for line, (name, picture) in zip(axes[:, 0], tiles.items(), strict=True):
        line.imshow(picture)
        line.set_title(name, fontsize=9, loc="left")
        line.set_axis_off()
    figure.suptitle(title)
    return figure


def centres_figure(drawn: Drawn, split: Split, title: str) -> Figure:
    """Draw histograms of red and of blue centres, one column for real images and one a model."""
    first = next(iter(drawn.values()))
    centres: dict[str, Tensor] = {"real": first["real_centres"]}
    centres |= {model: kept["centres"] for model, kept in drawn.items()}
    figure = Figure(figsize=(2.4 * len(centres), 5.2), layout="constrained")
    axes = figure.subplots(2, len(centres), squeeze=False)
    for column, (name, found) in enumerate(centres.items()):
        for line, (colour, scale) in enumerate((("red", "Reds"), ("blue", "Blues"))):
            _draw_histogram(axes[line][column], found[:, line], generation_size(split).side, scale)
            share = float((~found[:, line, 0].isnan()).float().mean())
            axes[line][column].set_title(f"{name}, {colour}: in {share:.0%}", fontsize=9)
    figure.suptitle(title)
    return figure


def _draw_histogram(axes: Axes, centres: Tensor, side: int, scale: str) -> None:
    """Count in bins of a pixel around each centre that an object may have, which is a whole one."""
    x, y = centres[~centres.isnan().any(1)].T.numpy()
    bins = np.arange(side + 2) - 0.5
    counts, _, _ = np.histogram2d(y, x, bins=[bins, bins])
    extent = (-0.5, side + 0.5, side + 0.5, -0.5)
    axes.imshow(counts, cmap=scale, extent=extent, vmin=0, vmax=max(counts.max(), 1))
    axes.set_xticks([0, side])
    axes.set_yticks([0, side])
