"""The one-hot pixel image in, (x, y) out: Supervised Coordinate Regression (section 4.2).

The inverse of coordinate classification. Judged by the distance in pixels.
"""

from __future__ import annotations

import itertools

import torch.nn.functional as F
from torch import Tensor, nn

from coordconv_rl.studies.options import Split
from coordconv_rl.studies.tasks.data import CANVAS, at_positions, normalise_positions, one_hot
from coordconv_rl.studies.tasks.networks import first_convolution, initialise
from coordconv_rl.studies.tasks.study import Measure, ModelName, Paper, Setting, Study

PIXELS = (CANVAS - 1) / 2  # pixels in a distance of 1 between normalised positions

# Value of the lit pixel. The network with coordinates takes a maximum over the canvas, and learns
# from the pixel that wins: at 1, as in the authors' data, background pixels of large coordinates
# win at first, and some seeds took many epochs to get away from that.
LIT_VALUE = 8.0

# From the authors' grid (experiment_logs.sh). At 0.01, as in their README, some seeds overshoot in
# the first steps: no lit pixel wins the maximum any more, and they learn nothing from there on.
COORDCONV = tuple(Setting(rate, l2=1e-5, epochs=8, step_epochs=6) for rate in (0.001, 0.01))
BASELINE = (
    Setting(0.001, l2=1e-5, width=2, epochs=100, step_epochs=40),
    Setting(0.001, l2=1e-4, width=1, epochs=100, step_epochs=40),
)


def data(positions: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Give images of one lit pixel and positions in -1 to 1: (n, 1, 64, 64) and (n, 2)."""
    return LIT_VALUE * one_hot(positions), normalise_positions(positions)


def build(model: ModelName, split: Split, setting: Setting, seed: int) -> nn.Module:
    """Build the network with coordinates, or the authors' baseline for that split."""
    if model != "convolution":
        network = _coordinate_network(model, seed)
    elif split == "uniform":
        network = _dense_network(setting.width)
    else:
        network = _deep_network(setting.width)
    return initialise(network, seed)


def _coordinate_network(model: ModelName, seed: int) -> nn.Sequential:
    """Build three 1x1 and two 3x3 convolutions, no nonlinearity, and a maximum over the canvas."""
    return nn.Sequential(
        first_convolution(model, 1, 8, 1, seed=seed),
        nn.Conv2d(8, 8, 1),
        nn.Conv2d(8, 8, 1),
        nn.Conv2d(8, 8, 3, padding=1),
        nn.Conv2d(8, 2, 3, padding=1),
        nn.AdaptiveMaxPool2d(1),
        nn.Flatten(),
    )


def _dense_network(width: int) -> nn.Sequential:
    """Build four 3x3 convolutions, three with pooling after them, and two dense layers."""
    channels = 16 * width
    layers: list[nn.Module] = []
    for before in (1, channels, channels):
        layers += [nn.Conv2d(before, channels, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(), nn.Flatten()]
    side = CANVAS // 8
    layers += [nn.Linear(channels * side * side, 64), nn.ReLU(), nn.Linear(64, 2)]
    return nn.Sequential(*layers)


def _deep_network(width: int) -> nn.Sequential:
    """Build nine convolutions, five of them of stride 2, and a mean over what is left.

    The authors end with a ReLU before the mean; it is left out here, because our targets are
    negative in half of the canvas and it would hold the baseline back.
    """
    channels = 16 * width
    layers: list[nn.Module] = []
    plan = ((5, 2), (1, 1), (3, 1), (3, 2), (3, 2), (3, 2), (1, 1), (3, 2))  # kernel, stride
    for index, (kernel, stride) in enumerate(plan):
        before = channels if index else 1
        layers += [nn.Conv2d(before, channels, kernel, stride, kernel // 2), nn.ReLU()]
        if index in (1, 4):
            layers.append(nn.BatchNorm2d(channels))
    layers += [nn.Conv2d(channels, 2, 3, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers)


def loss(outputs: Tensor, targets: Tensor) -> Tensor:
    """Sum the mean squared errors of the examples."""
    return F.mse_loss(outputs, targets, reduction="sum") / 2


def judge(outputs: Tensor, targets: Tensor) -> Tensor:
    """Measure the distance to the right position, in pixels: shape (n,)."""
    return (outputs - targets).square().sum(1).sqrt() * PIXELS


def settings(model: ModelName, split: Split, full: bool) -> tuple[Setting, ...]:
    """List the settings to choose from: CoordConv and its control have the same."""
    if model != "convolution":
        return COORDCONV
    grid = itertools.product((0.0005, 0.001, 0.01), (1e-5, 1e-4, 5e-4), (1, 2))
    paper_grid = tuple(
        Setting(rate, l2=l2, width=width, epochs=100, step_epochs=40) for rate, l2, width in grid
    )
    return tuple(dict.fromkeys(BASELINE + paper_grid)) if full else BASELINE


def paint(outputs: Tensor, targets: Tensor) -> Tensor:
    """Count the predicted positions at each pixel: shape (64, 64); those outside are left out."""
    pixels = ((outputs + 1) * PIXELS).round().long()
    inside = pixels[((pixels >= 0) & (pixels < CANVAS)).all(dim=1)]
    return one_hot(inside).sum(dim=(0, 1))


STUDY = Study(
    name="coordinate-regression",
    question="Given an image with one lit pixel, say where it is.",
    measure=Measure("error", "px", best=0.0, goal=0.5),
    paper=Paper(
        coordconv="about 900 parameters (github.com/uber-research/CoordConv)",
        convolution="-",
    ),
    data=at_positions(data),
    build=build,
    loss=loss,
    judge=judge,
    settings=settings,
    budget=3.2,
    chunk=16,
    paint=paint,
)
