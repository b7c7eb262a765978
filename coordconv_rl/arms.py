"""The arms of a comparison, by name: one table, needed by configurations and by networks.

This module imports no torch, so that experiments can be read without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from coordconv_rl.errors import unknown

Coords = Literal["first", "all", "none"] | tuple[int, ...]


@dataclass(frozen=True)
class Arm:
    """What distinguishes one arm; everything that is not named here is shared by all arms.

    Attributes:
        coords: Which convolutions get coordinates: the first, all, none, or those at the indices.
        radius: Whether the distance from the centre is a third coordinate channel.
        shuffled: Whether the coordinates' pixels are permuted once (the control: same parameters
            and channel statistics, no geometry).
        actor_only: Whether only the actor's features see coordinates, and the critic's do not.
        summary: One sentence for tables and help texts.
    """

    coords: Coords
    radius: bool = False
    shuffled: bool = False
    actor_only: bool = False
    summary: str = ""


ARMS: dict[str, Arm] = {
    "cnn": Arm("none", summary="SB3's NatureCNN, the baseline"),
    "coordconv": Arm("first", summary="x and y in the first convolution"),
    "coordconv-r": Arm("first", radius=True, summary="x, y and radius in the first convolution"),
    "coordconv-all": Arm("all", summary="x and y in every convolution"),
    "coordconv-actor": Arm("first", actor_only=True, summary="only the actor sees x and y"),
    "shuffled": Arm("first", shuffled=True, summary="control: x and y at permuted pixels"),
}


def get_arm(name: str) -> Arm:
    """Return the arm of that name, or raise `InputError` with the closest names."""
    if name not in ARMS:
        raise unknown("arm", name, ARMS)
    return ARMS[name]
