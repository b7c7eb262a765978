"""The built-in arms; arms from names and mappings, and back."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import fields, replace
from itertools import product
from typing import Any

from coordconv_rl.arms.arm import CONVOLUTIONS, HEADS, Arm
from coordconv_rl.errors import InputError, unknown

ARMS: dict[str, Arm] = {
    "cnn": Arm("none", summary="no coordinates: the baseline"),
    "coordconv": Arm("first", summary="x and y in the first convolution"),
    "coordconv-r": Arm("first", radius=True, summary="x, y and radius in the first convolution"),
    "coordconv-all": Arm("all", summary="x and y in every convolution"),
    "coordconv-actor": Arm("first", actor_only=True, summary="only the actor sees x and y"),
    "shuffled": Arm("first", shuffled=True, summary="control: x and y at permuted pixels"),
}

_KEYS = tuple(f.name for f in fields(Arm) if f.name != "summary")


def get_arm(name: str) -> Arm:
    """Return an arm by name: built in, or built in with a backbone, a head or both behind it.

    Args:
        name: As "cnn", "coordconv-pool", "coordconv-impala" or "shuffled-nature-spatial-softmax".

    Raises:
        InputError: If there is no such arm, with the closest names.
    """
    arms = _named_arms()
    if name not in arms:
        longer = any(name.startswith(f"{arm}-") for arm in ARMS)
        raise unknown("arm", name, arms if longer else ARMS)
    return arms[name]


@functools.cache
def _named_arms() -> dict[str, Arm]:
    """Return the built-in arms, alone and with every choice of backbone and head, by label."""
    arms = [
        replace(arm, backbone=backbone, head=head, summary=_summary(arm.summary, backbone, head))
        for arm, backbone, head in product(ARMS.values(), (None, *CONVOLUTIONS), (None, *HEADS))
    ]
    return {arm.label: arm for arm in arms}


def parse_arm(value: object) -> Arm:
    """Return the arm that a name or a mapping describes.

    Args:
        value: A name as in `get_arm`, or a mapping of `Arm`'s attributes (all but `summary`).

    Raises:
        InputError: If it describes no arm; one line that says what is wrong.
    """
    if isinstance(value, Arm):
        return value
    if isinstance(value, str):
        return get_arm(value)
    if not isinstance(value, Mapping):
        raise InputError(
            f"an arm is {value!r}: write a name, such as coordconv, or a mapping, such as "
            "{coords: first, head: pool}"
        )
    for key in value:
        if key not in _KEYS:
            raise unknown("key of an arm", key, _KEYS)
    arm = Arm(**value)
    if _named_arms().get(arm.label, arm) != arm:
        raise InputError(f"an arm's name is {arm.name}, but that is another arm: choose another")
    content = replace(arm, name=None).label
    same = _named_arms().get(content)
    return replace(arm, summary=same.summary if same else arm.extractor or content)


def arm_value(arm: Arm) -> str | dict[str, Any]:
    """Return what `parse_arm` reads this arm from: a built-in name, or plain data as YAML holds."""
    if _named_arms().get(arm.label) == arm:
        return arm.label
    usual = Arm()
    says = {key: getattr(arm, key) for key in _KEYS if getattr(arm, key) != getattr(usual, key)}
    return {key: list(v) if isinstance(v, tuple) else v for key, v in says.items()}


def _summary(sight: str, backbone: str | None, head: str | None) -> str:
    if (backbone or head) and sight == ARMS["cnn"].summary:
        sight = "no coordinates"  # and no longer SB3's network
    parts = [sight, backbone and f"{backbone} backbone", head and f"{head} head"]
    return ", ".join(part for part in parts if part)
