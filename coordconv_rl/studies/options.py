"""Which studies there are, and what one can be asked for; no torch, so that help stays fast."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

import tyro

from coordconv_rl.errors import InputError
from coordconv_rl.processes import available_cores

Split = str  # what is trained on and what is held out: a study's own names
POSITION_SPLITS: tuple[Split, ...] = ("uniform", "quadrant")
StudyName = Literal[
    "coordinate-classification",
    "coordinate-regression",
    "rendering",
    "translation",
    "detection",
    "generation",
]
STUDIES: MappingProxyType[StudyName, str] = MappingProxyType(
    {
        "coordinate-classification": "a position in, the one pixel that lies there out",
        "coordinate-regression": "an image with one lit pixel in, its position out",
        "rendering": "a position in, the 9x9 square around it out",
        "translation": "a control: is there a square at all, wherever it is",
        "detection": "one or two digits on a canvas in, boxes around them out",
        "generation": "noise in, a red and a blue object anywhere on a canvas out",
    }
)


@dataclass(frozen=True)
class StudyOptions:
    """How a study runs; the study itself fixes data, networks and settings.

    Attributes:
        seeds: Trainings of each model, with seeds 0, 1, 2 and so on; at most two of them for the
            control. A seed fixes the weights, the order of the minibatches and the positions that
            "uniform" holds out.
        budget: Minutes on all cores in use that the convolutional baseline may train in each
            split. A training to choose a setting by gets a quarter of what each seed shown gets.
            More minutes in the same folder let the same trainings go on. In detection and
            generation all models take the same steps instead.
        full: Whether the baseline tries the paper's whole grid of settings, not two of them; in
            detection and generation, whether all has the paper's size.
        folder: Where results go.
        split: Which positions are held out for the test: a random quarter ("uniform"), one whole
            quadrant ("quadrant"), or one after the other ("both"). Detection and generation have
            no positions to hold out.
        threads: Trainings at a time, each in a process on one thread.
        mnist: A folder with MNIST's four files, for detection.
    """

    seeds: int = 5
    budget: Annotated[
        float | None, tyro.conf.arg(help_behavior_hint="(default: the study's own)")
    ] = None
    full: tyro.conf.FlagCreatePairsOff[bool] = False
    folder: Annotated[
        Path | None, tyro.conf.arg(help_behavior_hint="(default: runs/studies/NAME)")
    ] = None
    split: Literal["uniform", "quadrant", "both"] = "both"
    threads: Annotated[int | None, tyro.conf.arg(help_behavior_hint="(default: one a core)")] = None
    mnist: Annotated[
        Path | None, tyro.conf.arg(help_behavior_hint="(default: scikit-learn's digits)")
    ] = None

    def __post_init__(self) -> None:
        """Refuse numbers that make no sense.

        Raises:
            InputError: A number is out of its range, or the split is unknown.
        """
        if not 1 <= self.seeds <= 1000:
            raise InputError(f"seeds {self.seeds}: must be 1 to 1000; 5 is the default")
        if self.budget is not None and not (math.isfinite(self.budget) and self.budget > 0):
            raise InputError(f"budget {self.budget}: must be a positive number of minutes")
        if self.threads is not None and not 1 <= self.threads <= 1024:
            raise InputError(f"threads {self.threads}: must be at least 1; leave it out for all")
        if self.split not in (*POSITION_SPLITS, "both"):
            raise InputError(f"unknown split {self.split!r}: choose uniform, quadrant or both")

    @property
    def jobs(self) -> int:
        """Trainings at a time."""
        return available_cores() if self.threads is None else self.threads
