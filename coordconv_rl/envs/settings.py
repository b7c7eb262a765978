"""What an environment plays: one game under one protocol, for training or for evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coordconv_rl.envs.games import SCREEN_SIZE, check_game
from coordconv_rl.errors import InputError, unknown

PROTOCOLS = ("v4", "v5")
STICKINESS = 0.25  # Machado et al. 2018 (arXiv 1709.06009), section 5
FRAME_CAP = 108_000  # half an hour at 60 frames a second: ale_py/registration.py


@dataclass(frozen=True)
class GameSettings:
    """One game under one protocol.

    Attributes:
        game: The game's Gymnasium name.
        protocol: "v4" (no sticky actions; life-loss episodes while training) or "v5" (each frame
            repeats the previous frame's action with probability 0.25; no life-loss episodes).
        training: Whether rewards are clipped to their sign, and v4 episodes end with a life.
        full_action_space: Whether all 18 actions are offered (v5 only).
        screen_size: Side of the images in pixels, as `screen_size` of SB3's `AtariWrapper`.

    Raises:
        InputError: Unknown game or protocol, all 18 actions under v4, or images without pixels.
    """

    game: str
    protocol: str = "v4"
    training: bool = True
    full_action_space: bool = False
    screen_size: int = SCREEN_SIZE

    def __post_init__(self) -> None:
        check_game(self.game)
        if self.protocol not in PROTOCOLS:
            raise unknown("protocol", self.protocol, PROTOCOLS)
        if self.full_action_space and self.protocol != "v5":
            raise InputError(
                "the full action space belongs to protocol v5: "
                f"use protocol='v5', or leave it out under {self.protocol}"
            )

        if self.screen_size < 1:
            raise InputError(
                f"screen_size is {self.screen_size}: it is the side of an image in pixels, by "
                f"default {SCREEN_SIZE}"
            )

    @property
    def stickiness(self) -> float:
        """Probability that a frame repeats the previous frame's action."""
        return STICKINESS if self.protocol == "v5" else 0.0

    @property
    def life_loss_ends(self) -> bool:
        """Whether losing a life ends the learner's episode."""
        return self.training and self.protocol == "v4"


def as_actions(
    actions: NDArray[np.integer[Any]], n_envs: int, n_actions: int, game: str
) -> NDArray[np.integer[Any]]:
    """Return actions as they are given to a vector environment.

    Args:
        actions: Shape (n_envs,), integers from 0 to n_actions - 1.
        n_envs: Environments.
        n_actions: Actions that each offers.
        game: What they play.

    Raises:
        InputError: Actions of another shape or kind, or out of range.
    """
    given = np.asarray(actions)
    if given.shape != (n_envs,) or given.dtype.kind not in "iu":
        raise InputError(
            f"actions are {given.dtype} of shape {given.shape}: "
            f"give one integer for each of the {n_envs} environments"
        )
    if given.min() < 0 or given.max() >= n_actions:
        raise InputError(
            f"actions go from {given.min()} to {given.max()}: "
            f"{game} has actions 0 to {n_actions - 1}"
        )
    return given
