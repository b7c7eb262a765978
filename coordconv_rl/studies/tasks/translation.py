"""Is there a square at all? A control that wants translation invariance; not in the paper.

CoordConv could cling to the places that it was trained on. The paper says that it can learn
invariance as well as dependence; here it must do no worse than plain convolution on positions
that were held out. Each position gives two images of 81 lit pixels: the 9x9 square, and as many
pixels scattered over the 17x17 window around it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from coordconv_rl.studies.options import Split
from coordconv_rl.studies.tasks.data import CANVAS, MARGIN, at_positions, one_hot, squares
from coordconv_rl.studies.tasks.networks import first_convolution, initialise
from coordconv_rl.studies.tasks.study import Measure, ModelName, Paper, Setting, Study

WINDOW = 17
LIT_PIXELS = (2 * MARGIN + 1) ** 2
SETTING = Setting(0.002, epochs=6, step_epochs=4)


def data(positions: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Give images and labels: shapes (2n, 1, 64, 64), and (2n, 3).

    A label is (1 for a square or 0 for scattered pixels, x, y); the judge uses the first, the
    picture the others. The scattered pixels are drawn anew for each seed and position.
    """
    labels = torch.cat(
        [torch.cat([torch.full((len(positions), 1), kind), positions], 1) for kind in (1, 0)]
    )
    return torch.cat([squares(positions), _scattered(positions, seed)]), labels.float()


def _scattered(positions: Tensor, seed: int) -> Tensor:
    """Light 81 random pixels of the 17x17 window around each position, moved into the canvas."""
    generator = torch.Generator().manual_seed(seed)
    corner = (positions - WINDOW // 2).clamp(0, CANVAS - WINDOW)
    cells = torch.rand(CANVAS**2, WINDOW**2, generator=generator).argsort(1)[:, :LIT_PIXELS]
    cells = cells[positions[:, 1] * CANVAS + positions[:, 0]]  # the same for a position anywhere
    x = corner[:, :1] + cells % WINDOW
    y = corner[:, 1:] + cells // WINDOW
    images = torch.zeros(len(positions), CANVAS**2)
    return images.scatter_(1, y * CANVAS + x, 1.0).view(-1, 1, CANVAS, CANVAS)


def build(model: ModelName, split: Split, setting: Setting, seed: int) -> nn.Module:
    """Build three 3x3 convolutions of stride 2, a mean over the canvas and one logit.

    The three models differ in the first convolution alone.
    """
    network = nn.Sequential(
        first_convolution(model, 1, 16, 3, seed=seed, stride=2),
        nn.ReLU(inplace=True),
        nn.Conv2d(16, 16, 3, 2, 1),
        nn.ReLU(inplace=True),
        nn.Conv2d(16, 16, 3, 2, 1),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, 1),
    )
    return initialise(network, seed)


def loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Sum the cross-entropies, in nats."""
    return F.binary_cross_entropy_with_logits(logits[:, 0], targets[:, 0], reduction="sum")


def judge(logits: Tensor, targets: Tensor) -> Tensor:
    """Give 1 for each right answer, else 0: shape (n,)."""
    return ((logits[:, 0] > 0) == (targets[:, 0] > 0.5)).float()


def settings(model: ModelName, split: Split, full: bool) -> tuple[Setting, ...]:
    """List the settings to try: one for all models."""
    return (SETTING,)


def paint(logits: Tensor, targets: Tensor) -> Tensor:
    """Draw each position's share of right answers, at its pixel: shape (64, 64)."""
    positions = targets[:, 1:].long()
    right = judge(logits, targets) / 2
    return (one_hot(positions)[:, 0] * right[:, None, None]).sum(0)


STUDY = Study(
    name="translation",
    question="Say whether 81 lit pixels form a square, wherever they are.",
    measure=Measure("accuracy", "%", best=1.0, goal=0.99),
    paper=Paper(
        coordconv="can learn complete translation invariance too (abstract); it has no such task",
        convolution="-",
    ),
    data=at_positions(data),
    build=build,
    loss=loss,
    judge=judge,
    settings=settings,
    budget=2.0,
    chunk=16,
    paint=paint,
)
