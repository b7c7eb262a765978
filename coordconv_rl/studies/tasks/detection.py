"""One or two digits on a canvas in, boxes out: the region proposal part of a Faster R-CNN.

After the paper's abstract ("24% better IOU"). Judged by the IoU of each digit's best proposal, on
canvases of digits that no training saw.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from torch import Tensor, nn

from coordconv_rl.errors import InputError
from coordconv_rl.studies.options import Split, StudyOptions
from coordconv_rl.studies.tasks.data import Parts, refuse_splits
from coordconv_rl.studies.tasks.detection_data import make_fields
from coordconv_rl.studies.tasks.digits import bundled_digits, read_mnist
from coordconv_rl.studies.tasks.proposals import proposal_loss, propose, true_iou
from coordconv_rl.studies.tasks.region_network import RegionProposals, initialise_proposals
from coordconv_rl.studies.tasks.study import Measure, ModelName, Paper, Setting, Study

KEPT_CANVASES = 12  # canvases whose boxes are drawn
FOUND = 0.5  # IoU from which a digit counts as found


class DetectionSize(NamedTuple):
    """Canvases of each part, passes over them, and how many make a minibatch."""

    train: int
    validation: int
    test: int
    epochs: int
    batch: int


SMALL = DetectionSize(2400, 600, 500, epochs=5, batch=4)
PAPER = DetectionSize(7500, 1500, 1000, epochs=50, batch=1)  # 9,000 and 1,000; train_faster_rcnn.py
SPLITS = {
    "digits": "scikit-learn's 1,797 digits of 8x8 pixels, split by digit",
    "digits-full": "scikit-learn's 1,797 digits of 8x8 pixels, split by digit; the paper's size",
    "mnist": "MNIST's digits, its test part for the test",
    "mnist-full": "MNIST's digits, its test part for the test; the paper's size",
}
RATES = (0.001, 0.0003)  # Adam's step sizes to choose from; the authors' is not known


def size_of(split: Split) -> DetectionSize:
    """Give a split's size."""
    return PAPER if split.endswith("full") else SMALL


def choose(options: StudyOptions) -> tuple[Split, ...]:
    """Name the one split that was asked for, by the digits and the size.

    Raises:
        InputError: MNIST cannot be read, scikit-learn is missing where its digits are wanted, or
            held-out positions were asked for.
    """
    refuse_splits(options, "detection")
    if options.mnist is None:
        bundled_digits(0)
    else:
        read_mnist(options.mnist)
    return (("digits" if options.mnist is None else "mnist") + ("-full" if options.full else ""),)


def data(split: Split, seed: int, mnist: Path | None) -> Parts:
    """Make canvases and their boxes: (n, 1, 64, 64) and (n, 2, 4); parts share no digit."""
    if split.startswith("mnist"):
        if mnist is None:
            raise InputError("this training is of MNIST's digits: say --mnist FOLDER again")
        digits = read_mnist(mnist)
    else:
        digits = bundled_digits(seed)
    counts = size_of(split)[:3]
    return Parts(
        *(
            make_fields(some, count, 3 * seed + part)
            for part, (some, count) in enumerate(zip(digits, counts, strict=True))
        )
    )


def build(model: ModelName, split: Split, setting: Setting, seed: int) -> nn.Module:
    """Build the region proposal network."""
    return initialise_proposals(RegionProposals(model, seed), seed)


def judge(outputs: Tensor, targets: Tensor) -> Tensor:
    """Give the IoU of each digit's best proposal: shape (digits,)."""
    corners, _ = propose(outputs)
    best = true_iou(corners, targets).amax(1)
    return best[targets[..., 2] > 0]


def measures(outputs: Tensor, targets: Tensor) -> dict[str, float]:
    """Count the digits that are found, and judge the proposals as the authors' code does.

    Its measure is the mean over all proposals of the IoU with the nearest digit; it does not see
    digits that no proposal is near.
    """
    corners, chances = propose(outputs)
    nearest = true_iou(corners, targets).amax(2)[chances > 0]
    return {
        "digits found (IoU 0.5)": float((judge(outputs, targets) >= FOUND).float().mean()),
        "IoU of all proposals": float(nearest.mean()),
    }


def samples(
    network: nn.Module, inputs: Tensor, outputs: Tensor, targets: Tensor
) -> dict[str, Tensor]:
    """Keep some canvases with their digits' boxes and the proposals, to be drawn."""
    corners, chances = propose(outputs[:KEPT_CANVASES])
    return {
        "canvases": inputs[:KEPT_CANVASES, 0].clone(),
        "truth": targets[:KEPT_CANVASES].clone(),
        "proposals": corners,
        "chances": chances,
    }


def settings(model: ModelName, split: Split, full: bool) -> tuple[Setting, ...]:
    """List the settings to choose from: the same for all models."""
    size = size_of(split)
    return tuple(
        Setting(rate, batch=size.batch, epochs=size.epochs, step_epochs=size.epochs * 4 // 5)
        for rate in RATES
    )


STUDY = Study(
    name="detection",
    question="Given a canvas with one or two digits, propose boxes around them.",
    measure=Measure("IoU", "", best=1.0, goal=None),
    paper=Paper(coordconv="-", convolution="-", value_ratio='1.24 ("24% better IOU", abstract)'),
    splits=SPLITS,
    choose=choose,
    data=data,
    build=build,
    loss=proposal_loss,
    judge=judge,
    settings=settings,
    budget=None,
    chunk=16,
    precision="auto",
    measures=measures,
    samples=samples,
    pictures="boxes",
)
