"""(x, y) in, the one-hot pixel out: Supervised Coordinate Classification (section 4.1).

A softmax over the canvas' 4,096 pixels; an example is right if the likeliest pixel is the centre.
"""

from __future__ import annotations

import itertools

import torch.nn.functional as F
from torch import Tensor, nn

from coordconv_rl.studies.options import Split
from coordconv_rl.studies.tasks import networks
from coordconv_rl.studies.tasks.data import CANVAS, at_positions, normalise_positions, pixel_index
from coordconv_rl.studies.tasks.study import Measure, ModelName, Paper, Setting, Study

# The authors' README: deconvolution of width 2 and kernel 3, learning rate 0.01, l2 0.001; their
# experiment log lets the step size fall to a tenth every 200 of 1,000 epochs.
BASELINE = (
    Setting(0.01, l2=0.001, width=2, kernel=3, step_epochs=200),
    Setting(0.005, width=1, kernel=4, step_epochs=200),
)
# To extrapolate into a quadrant that it never saw, CoordConv may need a stronger l2 than the
# authors' 0.001; which one is chosen by the validation part.
COORDCONV = tuple(
    Setting(0.005, l2=l2, kernel=1, epochs=5, step_epochs=4) for l2 in (0.02, 0.1, 0.001)
)


def paper_grid() -> tuple[Setting, ...]:
    """List the baseline's 324 settings, as in the authors' experiment_logs.sh."""
    grid = itertools.product(
        (0.001, 0.002, 0.005, 0.01, 0.02, 0.05), (0.0, 0.001, 0.01), (2, 3, 4), (1, 2, 3), (16, 32)
    )
    return tuple(
        Setting(rate, l2=l2, kernel=kernel, width=width, batch=batch, step_epochs=200)
        for rate, l2, kernel, width, batch in grid
    )


def data(positions: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Give positions in -1 to 1 and the centres' pixel numbers: shapes (n, 2) and (n,)."""
    return normalise_positions(positions), pixel_index(positions)


def build(model: ModelName, split: Split, setting: Setting, seed: int) -> nn.Module:
    """Build 1x1 convolutions with coordinates, or the baseline: a stack of deconvolutions."""
    if model == "convolution":
        network = networks.deconvolution_network(setting.width, setting.kernel)
    else:
        network = networks.pixel_network(model, setting.width, seed)
    return networks.initialise(network, seed)


def loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Sum the cross-entropies over pixels, in nats."""
    return F.cross_entropy(logits.flatten(1), targets, reduction="sum")


def judge(logits: Tensor, targets: Tensor) -> Tensor:
    """Give 1 for each example whose likeliest pixel is the right one, else 0: shape (n,)."""
    return (logits.flatten(1).argmax(1) == targets).float()


def settings(model: ModelName, split: Split, full: bool) -> tuple[Setting, ...]:
    """List the settings to choose from: CoordConv and its control have the same."""
    if model != "convolution":
        return COORDCONV
    return tuple(dict.fromkeys(BASELINE + paper_grid())) if full else BASELINE


def paint(logits: Tensor, targets: Tensor) -> Tensor:
    """Sum the predicted probabilities of each pixel: shape (64, 64)."""
    return logits.flatten(1).softmax(1).sum(0).view(CANVAS, CANVAS)


STUDY = Study(
    name="coordinate-classification",
    question="Given a position, light the one pixel that lies there.",
    measure=Measure("accuracy", "%", best=1.0, goal=1.0),
    paper=Paper(
        coordconv="perfect training and test accuracy in seconds (eng.uber.com/coordconv)",
        convolution="at most about 86% test accuracy on uniform, and training is slow "
        "(eng.uber.com/coordconv)",
        time_ratio="150 (abstract)",
        parameter_ratio="10 to 100 (abstract)",
    ),
    data=at_positions(data),
    build=build,
    loss=loss,
    judge=judge,
    settings=settings,
    budget=2.4,
    chunk=4,
    paint=paint,
    precision="auto",
)
