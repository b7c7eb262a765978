"""What a study is made of: settings to train with, a measure to judge by, and five functions."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from coordconv_rl.studies.options import Split

ModelName = Literal["coordconv", "convolution", "shuffled"]
MODELS: tuple[ModelName, ...] = ("coordconv", "convolution", "shuffled")


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
    """

    learning_rate: float
    l2: float = 0.0
    batch: int = 16
    width: int = 1
    kernel: int = 3
    epochs: int = 1000
    step_epochs: int = 0

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
        goal: The test value that CoordConv has to reach.
    """

    name: str
    unit: Literal["%", "px", ""]
    best: float
    goal: float

    @property
    def higher_is_better(self) -> bool:
        """Whether a larger value is better."""
        return self.best > 0

    def is_better(self, one: float, other: float) -> bool:
        """Return whether `one` is strictly better than `other`."""
        return one > other if self.higher_is_better else one < other

    def is_reached(self, value: float) -> bool:
        """Return whether the value reaches the goal."""
        return value >= self.goal if self.higher_is_better else value <= self.goal

    def show(self, value: float) -> str:
        """Write a value for people: "98.61%", "0.21 px", "0.997"."""
        if self.unit == "%":
            return f"{100 * value:.2f}%"
        return f"{value:.3f}" + (" px" if self.unit else "")


@dataclass(frozen=True)
class Paper:
    """What is known from the paper for a study, each with its source; "-" for no figure."""

    coordconv: str
    convolution: str
    time_ratio: str = "-"
    parameter_ratio: str = "-"

    @property
    def sentence(self) -> str:
        """The paper's name, and what is known of both models."""
        figures = (("CoordConv", self.coordconv), ("convolution", self.convolution))
        known = [f"{model}: {text}" for model, text in figures if text != "-"]
        return f"The paper (Liu et al. 2018, arXiv 1807.03247). {'; '.join(known)}."


@dataclass(frozen=True)
class Study:
    """One task of the paper (or a control), for three models: data, models, train, judge.

    Attributes:
        name: The name on the command line.
        question: One sentence on what is asked.
        measure: What the models are judged by.
        paper: The paper's own figures.
        data: (positions, seed) -> inputs, targets; one row or more for each position, all float32
            or int64 with the examples along axis 0.
        build: (model, split, setting, seed) -> the network with fresh weights.
        loss: (outputs, targets) -> summed loss of a chunk of examples.
        judge: (outputs, targets) -> one value for each example: what `measure` averages.
        settings: (model, split, full) -> the settings to try, the most promising first.
        budget: Minutes of the baseline in each split by default; see `StudyOptions.budget`.
        chunk: Examples that pass the network at once; a minibatch's gradient is the sum over its
            chunks. Small chunks of large images stay in the processor's cache.
        precision: Arithmetic of the training steps of all three models: "auto" is bfloat16 where
            the processor has it. Values are always judged in float32.
        paint: (outputs, targets) -> what all examples paint together, shape (64, 64): the summed
            predicted pixels, as in the paper's figures.
    """

    name: str
    question: str
    measure: Measure
    paper: Paper
    data: Callable[[Tensor, int], tuple[Tensor, Tensor]]
    build: Callable[[ModelName, Split, Setting, int], nn.Module]
    loss: Callable[[Tensor, Tensor], Tensor]
    judge: Callable[[Tensor, Tensor], Tensor]
    settings: Callable[[ModelName, Split, bool], tuple[Setting, ...]]
    budget: float
    chunk: int
    paint: Callable[[Tensor, Tensor], Tensor]
    precision: Literal["auto", "float32"] = "float32"


def load_study(name: str) -> Study:
    """Import the module of a study and return its `STUDY`.

    Args:
        name: One of `coordconv_rl.studies.STUDIES`.
    """
    module = importlib.import_module(f"{__package__}.{name.replace('-', '_')}")
    study: Study = module.STUDY
    return study
