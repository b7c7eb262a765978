"""An algorithm's settings, which its preset gives and an experiment or a command may replace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from coordconv_rl.configs.types import OPTIONAL, take_plain_numbers


@dataclass(frozen=True)
class Hyperparameters:
    """An algorithm's settings; `presets/a2c.yaml` and `presets/ppo.yaml` hold RL Zoo's.

    Attributes:
        n_envs: Environments stepped together.
        n_steps: Environment steps of each environment in one rollout.
        learning_rate: Step size at the start of training.
        schedule: How the learning rate (and PPO's clip range) goes: constant, or linear to zero.
        gamma: Discount factor of the return.
        gae_lambda: Lambda of generalised advantage estimation.
        ent_coef: Weight of the entropy bonus.
        vf_coef: Weight of the value loss.
        max_grad_norm: Bound on the gradient's norm.
        n_epochs: Passes over one rollout (PPO; A2C makes one).
        batch_size: Observations in one minibatch (PPO; A2C takes the whole rollout).
        clip_range: PPO's clip range at the start of training.
    """

    n_envs: int
    n_steps: int
    learning_rate: float
    schedule: Literal["constant", "linear"]
    gamma: float
    gae_lambda: float
    ent_coef: float
    vf_coef: float
    max_grad_norm: float
    n_epochs: int = 1
    batch_size: Annotated[int | None, OPTIONAL] = None
    clip_range: Annotated[float | None, OPTIONAL] = None

    def __post_init__(self) -> None:
        take_plain_numbers(self)
