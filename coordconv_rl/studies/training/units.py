"""The trainings that a study is made of, each known by the path of its folder."""

from __future__ import annotations

from dataclasses import dataclass

from coordconv_rl.studies.options import Split
from coordconv_rl.studies.tasks import Model, Setting


@dataclass(frozen=True)
class Unit:
    """One training.

    Attributes:
        study: The study's name.
        split: Which positions are held out.
        model: Which of the three models.
        setting: Sizes and step sizes.
        seed: Fixes weights, minibatches, shuffled coordinates and the uniform split.
        seconds: Processor seconds that it may train altogether, earlier attempts included.
    """

    study: str
    split: Split
    model: Model
    setting: Setting
    seed: int
    seconds: float

    @property
    def path(self) -> str:
        """The unit's id and its folder below the study's."""
        return f"{self.split}/{self.model}/{self.setting.name}/seed-{self.seed}"
