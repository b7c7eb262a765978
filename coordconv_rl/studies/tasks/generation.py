"""Noise in, two objects on a canvas out: "less mode collapse" in a generative adversarial network.

After the paper's abstract, with the authors' networks and noise. Judged by the joint positions of
both objects: in how many of the cells where real images have them do generated images have them
too?
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from coordconv_rl.errors import InputError
from coordconv_rl.studies.options import Split, StudyOptions
from coordconv_rl.studies.tasks.adversaries import NOISE, Adversaries
from coordconv_rl.studies.tasks.collapse import collapse_measures, joint_counts, joint_coverage
from coordconv_rl.studies.tasks.data import Parts, refuse_splits
from coordconv_rl.studies.tasks.networks import initialise
from coordconv_rl.studies.tasks.shapes import find_centres, make_shapes
from coordconv_rl.studies.tasks.study import (
    AdversarialSetting,
    Measure,
    ModelName,
    Paper,
    Setting,
    Study,
)

KEPT_IMAGES = 24  # generated images that are drawn
ENDS, BETWEEN = 4, 8  # interpolations that are drawn, and the images of each


class GenerationSize(NamedTuple):
    """Pixels along an image's sides, and the images of each part."""

    side: int
    train: int
    validation: int
    test: int


SIZES = {
    "32x32": GenerationSize(32, 4000, 1000, 1000),
    "64x64": GenerationSize(64, 49000, 1000, 1000),
}
SETTINGS = {  # a width of 4 is all of the authors' channels
    # Minibatches are the authors'; step sizes, decays and the penalty were found by trials with
    # other seeds (docs/studies.md), the epochs by what fits into half an hour.
    "32x32": Setting(
        1e-3,
        batch=16,
        epochs=12,
        width=1,
        adversarial=AdversarialSetting(1e-3, beta1=0.0, beta2=0.99, penalty=0.1),
    ),
    # README.md and train_gan.py of the authors' repository.
    "64x64": Setting(
        5e-4,
        batch=16,
        epochs=50,
        width=4,
        adversarial=AdversarialSetting(1e-4, beta1=0.9, beta2=0.99, generator_steps=2),
    ),
}
BASE = 16  # channels that a width of 1 stands for


def generation_size(split: Split) -> GenerationSize:
    """Give a split's size."""
    return SIZES[split]


def choose(options: StudyOptions) -> tuple[Split, ...]:
    """Name the one split that was asked for, by the size.

    Raises:
        InputError: Held-out positions or MNIST's digits were asked for.
    """
    refuse_splits(options, "generation")
    if options.mnist is not None:
        raise InputError("--mnist: only the study detection has digits; leave it out")
    return ("64x64",) if options.full else ("32x32",)


def draw_noise(count: int, generator: torch.Generator) -> Tensor:
    """Draw noise of -1 to 1, uniform, as in train_gan.py: shape (count, 256)."""
    return 2 * torch.rand(count, NOISE, generator=generator) - 1


def interpolate_noise(one: Tensor, other: Tensor, share: Tensor) -> Tensor:
    """Go from one noise to another in a straight line, but with lengths between theirs.

    As the authors' util.py does: the middle of a straight line is shorter than any noise drawn.

    Args:
        one: Noise, shape (..., 256).
        other: Noise, of the same shape.
        share: How much of the other, 0 to 1, of a shape that broadcasts to (..., 1).
    """
    straight = torch.lerp(one, other, share)
    lengths = torch.lerp(one.norm(dim=-1, keepdim=True), other.norm(dim=-1, keepdim=True), share)
    noise: Tensor = straight * lengths / straight.norm(dim=-1, keepdim=True)
    return noise


def data(split: Split, seed: int, mnist: Path | None) -> Parts:
    """Make noise and real images: (n, 256) and (n, 3, side, side)."""
    size = SIZES[split]
    parts = []
    for index, count in enumerate((size.train, size.validation, size.test)):
        own = 4 * seed + index
        noise = draw_noise(count, torch.Generator().manual_seed(own))
        parts.append((noise, make_shapes(count, size.side, own)))
    return Parts(*parts)


def build(model: ModelName, split: Split, setting: Setting, seed: int) -> nn.Module:
    """Build a generator with its discriminator."""
    adversarial = setting.adversarial
    normalised = adversarial is None or not adversarial.penalty
    base = BASE * setting.width
    network = Adversaries(model, SIZES[split].side, base, seed, normalised=normalised)
    return initialise(network, seed)


def loss(verdicts: Tensor, real: Tensor) -> Tensor:
    """Sum the discriminator's cross-entropies, in nats: `real` is 1 for real images, else 0."""
    return F.binary_cross_entropy_with_logits(verdicts, real, reduction="sum")


def judge(images: Tensor, targets: Tensor) -> Tensor:
    """Give the joint coverage of generated against real images, as the one value: shape (1,)."""
    return torch.tensor([joint_coverage(joint_counts(images), joint_counts(targets))])


def measures(images: Tensor, targets: Tensor) -> dict[str, float]:
    """Collect all numbers for mode collapse; colours are cut off at -1 and 1."""
    return collapse_measures(images.clamp(-1, 1), targets)


def ceiling(split: Split, seed: int) -> dict[str, float]:
    """Collect the same numbers for real images in the generated ones' place: as many, held out."""
    size = SIZES[split]
    held_out = make_shapes(size.test, size.side, 4 * seed + 3)
    return measures(held_out.float(), make_shapes(size.test, size.side, 4 * seed + 2))


def to_bytes(images: Tensor) -> Tensor:
    """Turn colours of -1 to 1, cut off beyond, into uint8 of 0 to 255, as screens have them."""
    return ((images.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


def samples(
    network: nn.Module, inputs: Tensor, outputs: Tensor, targets: Tensor
) -> dict[str, Tensor]:
    """Keep images as bytes, the centres found in all of them, and interpolations, to be drawn."""
    ends = inputs[: 2 * ENDS].view(2, ENDS, 1, NOISE)
    share = torch.linspace(0, 1, BETWEEN)[:, None]
    between = network(interpolate_noise(ends[0], ends[1], share).flatten(0, 1))
    return {
        "images": to_bytes(outputs[:KEPT_IMAGES]),
        "real": to_bytes(targets[:KEPT_IMAGES]),
        "between": to_bytes(between).reshape(ENDS, BETWEEN, *between.shape[1:]),
        "centres": find_centres(outputs),
        "real_centres": find_centres(targets),
    }


def settings(model: ModelName, split: Split, full: bool) -> tuple[Setting, ...]:
    """List the one setting of a size, for all models."""
    return (SETTINGS[split],)


STUDY = Study(
    name="generation",
    question="Given noise, generate images of a red and a blue object anywhere on a canvas.",
    measure=Measure("joint coverage", "%", best=1.0, goal=None),
    paper=Paper(
        coordconv="less mode collapse: objects anywhere (abstract)",
        convolution="-",
        value_ratio="no figure",
    ),
    splits={
        "32x32": "images of 32x32 pixels, a quarter of the authors' channels",
        "64x64": "the authors' sizes",
    },
    choose=choose,
    data=data,
    build=build,
    loss=loss,
    judge=judge,
    settings=settings,
    budget=None,
    chunk=50,
    method="adversarial",
    measures=measures,
    ceiling=ceiling,
    samples=samples,
    pictures="images",
)
