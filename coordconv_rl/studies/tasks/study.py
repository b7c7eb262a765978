"""What a study is made of: settings to train with, a measure to judge by, and its functions."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from torch import Tensor, nn

from coordconv_rl.studies.options import Split, StudyOptions
from coordconv_rl.studies.tasks.data import Parts, position_splits

ModelName = Literal["coordconv", "convolution", "shuffled"]
HELD_OUT_POSITIONS: Mapping[Split, str] = MappingProxyType(
    {
        "uniform": "a random quarter of the positions is held out for the test",
        "quadrant": "the quadrant of large x and large y is held out for the test",
    }
)
MODELS: tuple[ModelName, ...] = ("coordconv", "convolution", "shuffled")


@dataclass(frozen=True)
class AdversarialSetting:
    """How a discriminator is trained beside its generator; see `training/adversarial`.

    Attributes:
        rate: The discriminator's step size; `Setting.learning_rate` is the generator's.
        beta1: Adam's decay of the first moment, for both.
        beta2: Adam's decay of the second moment, for both.
        generator_steps: The generator's steps for each one of the discriminator.
        penalty: How much the discriminator pays for steep verdicts around real images. It does so
            in place of batch normalisation in the discriminator, with which one image's verdict
            would depend on others.
    """

    rate: float
    beta1: float
    beta2: float
    generator_steps: int = 1
    penalty: float = 0.0


@dataclass(frozen=True)
class Setting:
    """One point of a grid: how a network is sized and trained. Adam, always.

    Attributes:
        learning_rate: Adam's step size.
        l2: Weight of the sum of squared kernel weights in the loss (biases are free).
        batch: Examples in a minibatch.
        width: Factor on the network's channels.
        kernel: Pixels along a side of the kernels, where the study leaves them open.
        epochs: Passes over the training positions, at most.
        step_epochs: Epochs after which the step size falls to a tenth, again and again; 0 never.
        l2_epochs: Epochs after which `l2` begins to count.
        adversarial: How the discriminator is trained, where there is one.
    """

    learning_rate: float
    l2: float = 0.0
    batch: int = 16
    width: int = 1
    kernel: int = 3
    epochs: int = 1000
    step_epochs: int = 0
    l2_epochs: int = 0
    adversarial: AdversarialSetting | None = None

    @property
    def name(self) -> str:
        """A readable name that is also a folder's: the settings that grids vary."""
        return (
            f"lr{self.learning_rate:g}-l2_{self.l2:g}-batch{self.batch}"
            f"-width{self.width}-kernel{self.kernel}"
        )


@dataclass(frozen=True)
class Measure:
    """What a study judges by.

    Attributes:
        name: As in "accuracy".
        unit: "%" (values are shares and shown times 100), "px", or "" for a bare number.
        best: The best possible value; a model with lower values everywhere is better when it is 0.
        goal: The test value that CoordConv has to reach; none where nobody says one.
    """

    name: str
    unit: Literal["%", "px", ""]
    best: float
    goal: float | None

    @property
    def higher_is_better(self) -> bool:
        """Whether a larger value is better."""
        return self.best > 0

    def is_better(self, one: float, other: float) -> bool:
        """Return whether `one` is strictly better than `other`."""
        return one > other if self.higher_is_better else one < other

    def is_as_good(self, one: float, other: float) -> bool:
        """Return whether `one` is as good as `other` or better; NaN never is."""
        return one == other or self.is_better(one, other)

    def is_reached(self, value: float) -> bool:
        """Return whether the value reaches the goal; always where there is none."""
        if self.goal is None:
            return True
        return value >= self.goal if self.higher_is_better else value <= self.goal

    def show(self, value: float) -> str:
        """Write a value for people: "98.61%", "0.21 px", "0.997"."""
        if self.unit == "%":
            return f"{100 * value:.2f}%"
        return f"{value:.3f}" + (" px" if self.unit else "")


@dataclass(frozen=True)
class Paper:
    """What is known from the paper for a study, each with its source; "-" for no figure.

    That of times is of the split `uniform`.
    """

    coordconv: str
    convolution: str
    time_ratio: str = "-"
    parameter_ratio: str = "-"
    value_ratio: str = "-"  # CoordConv's value over convolution's

    @property
    def sentence(self) -> str:
        """The paper's name, and what is known of both models."""
        figures = (("CoordConv", self.coordconv), ("convolution", self.convolution))
        known = [f"{model}: {text}" for model, text in figures if text != "-"]
        sentence = "The paper (Liu et al. 2018, arXiv 1807.03247)."
        return f"{sentence} {'; '.join(known)}." if known else sentence


@dataclass(frozen=True)
class Study:
    """One task of the paper (or a control), for three models: data, models, train, judge.

    Attributes:
        name: The name on the command line.
        question: One sentence on what is asked.
        measure: What the models are judged by.
        paper: The paper's own figures.
        data: (split, seed, MNIST's folder) -> the examples, float32 or int64 or, for images, int8.
        build: (model, split, setting, seed) -> the network with fresh weights.
        loss: (outputs, targets) -> summed loss of a chunk of examples. Its draws come from torch's
            own generator, which is seeded for each step.
        judge: (outputs, targets) -> the values that `measure` averages, shape (n,); one for each
            example, or for whatever is judged of them.
        settings: (model, split, full) -> the settings to try, the most promising first.
        budget: Minutes of the baseline in each split by default, see `StudyOptions.budget`; none
            where all models train for their epochs.
        chunk: Examples that pass the network at once; a minibatch's gradient is the sum over its
            chunks. Small chunks of large images stay in the processor's cache.
        paint: (outputs, targets) -> what all examples paint together, shape (64, 64): the summed
            predicted pixels, as in the paper's figures.
        precision: Arithmetic of the training steps of all three models: "auto" is bfloat16 where
            the processor has it. Values are always judged in float32.
        splits: What each split holds out, or what it is made of: a sentence for the page.
        choose: (options) -> the splits to run, one after the other.
        method: Whether the loss alone trains the network, or it is a generator with its
            discriminator, for which inputs are noise and targets real images.
        measures: (outputs, targets) -> more values of the test part, by name, for a second table.
        ceiling: (split, seed) -> the same values for the best that there can be.
        samples: (network, inputs, outputs, targets) -> what the pictures need of the test part.
        pictures: What is drawn from what `paint` or `samples` give.
    """

    name: str
    question: str
    measure: Measure
    paper: Paper
    data: Callable[[Split, int, Path | None], Parts]
    build: Callable[[ModelName, Split, Setting, int], nn.Module]
    loss: Callable[[Tensor, Tensor], Tensor]
    judge: Callable[[Tensor, Tensor], Tensor]
    settings: Callable[[ModelName, Split, bool], tuple[Setting, ...]]
    budget: float | None
    chunk: int
    paint: Callable[[Tensor, Tensor], Tensor] | None = None
    precision: Literal["auto", "float32"] = "float32"
    splits: Mapping[Split, str] = field(default_factory=lambda: HELD_OUT_POSITIONS)
    choose: Callable[[StudyOptions], tuple[Split, ...]] = position_splits
    method: Literal["supervised", "adversarial"] = "supervised"
    measures: Callable[[Tensor, Tensor], dict[str, float]] | None = None
    ceiling: Callable[[Split, int], dict[str, float]] | None = None
    samples: Callable[[nn.Module, Tensor, Tensor, Tensor], dict[str, Tensor]] | None = None
    pictures: Literal["canvas", "boxes", "images"] = "canvas"


def load_study(name: str) -> Study:
    """Import the module of a study and return its `STUDY`.

    Args:
        name: One of `coordconv_rl.studies.STUDIES`.
    """
    module = importlib.import_module(f"{__package__}.{name.replace('-', '_')}")
    study: Study = module.STUDY
    return study
