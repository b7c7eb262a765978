"""(x, y) in, the 9x9 square out: Supervised Rendering (section 4.3).

A sigmoid at each pixel; judged by intersection over union of the pixels above one half.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from types import MappingProxyType

import torch.nn.functional as F
from torch import Tensor, nn

from coordconv_rl.studies.options import Split
from coordconv_rl.studies.tasks import coordinate_classification, networks
from coordconv_rl.studies.tasks.data import CANVAS, at_positions, normalise_positions, squares
from coordconv_rl.studies.tasks.study import Measure, ModelName, Paper, Setting, Study

# The authors' grid for this task (experiment_logs.sh) has an l2 of 0 and of 0.001. In trials on the
# validation quadrant 0 came to 0.4 to 0.7 on the quadrant never seen, and the larger the penalty,
# the nearer was what was never seen to what was, and the less sharp both (docs/studies.md). Before
# anything is painted the penalty would be all that moves the pixel network, to nothing: of two
# seeds one never began. So it waits for three epochs, after which all that were tried had begun.
L2: Mapping[Split, tuple[float, ...]] = MappingProxyType(
    {"uniform": (0.001, 0.0003), "quadrant": (0.001, 0.003)}
)
PEAK = 64.0  # what a sharp centre is painted from; see `Sharpen`
PAINTING = (1, 8, 8, 16, 16, 1)  # channels, with 3x3 kernels: 11x11 pixels are seen, 9x9 painted


class Sharpen(nn.Module):
    """A softmax over the canvas, times 64: one pixel stands out, wherever it is.

    The authors have the softmax alone. Over 4,096 pixels it begins with values so small that the
    painting convolutions behind it got no gradient to speak of: after three epochs nothing was
    painted yet, where with the factor the IoU was at 0.9 on the training positions (seed 0).
    """

    def forward(self, logits: Tensor) -> Tensor:
        """Turn logits into shares, shape (n, 1, 64, 64) both, float32."""
        return PEAK * logits.float().flatten(1).softmax(1).view_as(logits)


def data(positions: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Give positions in -1 to 1 and the squares' images: shapes (n, 2) and (n, 1, 64, 64)."""
    return normalise_positions(positions), squares(positions)


def build(model: ModelName, split: Split, setting: Setting, seed: int) -> nn.Module:
    """Build a pixel network that finds the centre and convolutions that paint around it.

    That is the authors' CoordConvImagePainter; the baseline is deconvolutions. The l2 penalty is on
    the pixel network alone: it makes that extrapolate, but the edges that the painting convolutions
    have to draw want large kernels.
    """
    if model == "convolution":
        network = networks.deconvolution_network(setting.width, setting.kernel)
    else:
        find = networks.pixel_network(model, setting.width, seed)
        network = nn.Sequential(find, Sharpen(), _painting_network())
    return networks.initialise(network, seed)


def _painting_network() -> nn.Sequential:
    """Build five 3x3 convolutions from a lit pixel to the square around it."""
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(PAINTING):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(inplace=True)]
    return networks.FreeOfPenalty(*layers[:-1])


def loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Sum the examples' mean cross-entropies of a pixel, in nats."""
    return F.binary_cross_entropy_with_logits(logits, targets, reduction="sum") / CANVAS**2


def judge(logits: Tensor, targets: Tensor) -> Tensor:
    """Give each example's intersection over union, 0 to 1: shape (n,)."""
    painted, wanted = (logits > 0).flatten(1), (targets > 0.5).flatten(1)
    return (painted & wanted).sum(1) / (painted | wanted).sum(1)


def settings(model: ModelName, split: Split, full: bool) -> tuple[Setting, ...]:
    """List the settings to choose from; the baseline's are those of coordinate classification."""
    if model != "convolution":
        return tuple(
            Setting(0.005, l2=l2, kernel=1, epochs=16, step_epochs=13, l2_epochs=3)
            for l2 in L2[split]
        )
    return coordinate_classification.settings("convolution", split, full)


def paint(logits: Tensor, targets: Tensor) -> Tensor:
    """Sum the probabilities of each pixel to be lit: shape (64, 64)."""
    return logits.sigmoid().sum(dim=(0, 1))


STUDY = Study(
    name="rendering",
    question="Given a position, paint the 9x9 square around it.",
    measure=Measure("IoU", "", best=1.0, goal=0.99),
    paper=Paper(
        coordconv="-",
        convolution="finds supervised rendering hard (eng.uber.com/coordconv)",
    ),
    data=at_positions(data),
    build=build,
    loss=loss,
    judge=judge,
    settings=settings,
    budget=2.4,
    chunk=8,
    paint=paint,
    precision="auto",
)
