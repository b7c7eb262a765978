"""What distinguishes an arm of a comparison, and whether that makes sense."""

from __future__ import annotations

import hashlib
import json
import numbers
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, get_args

from coordconv_rl.errors import InputError, unknown

Coords = Literal["first", "all", "none"] | tuple[int, ...]
Backbone = Literal["nature", "impala", "minatar"]
Head = Literal["flatten", "pool", "spatial-softmax"]

CONVOLUTIONS: dict[Backbone, int] = {"nature": 3, "impala": 15, "minatar": 1}  # in each backbone
HEADS: tuple[Head, ...] = get_args(Head)

_EXTRACTOR = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")  # it names a folder


@dataclass(frozen=True)
class Arm:
    """What distinguishes one arm; everything that is not named here is shared by all arms.

    Arms are equal if they say the same, whatever they are called.

    Attributes:
        coords: Which convolutions get coordinates: the first, all, none, or those at the indices.
        radius: Whether the distance from the centre is a third coordinate channel.
        shuffled: Whether the coordinates' pixels are permuted once (the control: same parameters
            and channel statistics, no geometry).
        actor_only: Whether only the actor's features see coordinates, and the critic's do not.
        backbone: The convolutions, or None for the experiment's.
        head: What becomes of the last feature maps, or None for the experiment's.
        extractor: A features extractor of the user's own, "package.module:Class", in place of all
            of the above.
        kwargs: What that class takes beside the observation space: plain data, as in YAML.
        name: What the user calls the arm; see `label`.
        summary: One sentence for tables and help texts.

    Raises:
        InputError: If a value does not exist or does not go with another.
    """

    coords: Coords = "none"
    radius: bool = False
    shuffled: bool = False
    actor_only: bool = False
    backbone: Backbone | None = None
    head: Head | None = None
    extractor: str | None = None
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    name: str | None = field(default=None, compare=False)
    summary: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "coords", _checked_coords(self.coords, self.backbone))
        object.__setattr__(self, "kwargs", _plain(self.kwargs))
        if self.head is not None:
            _check_choice("head", self.head, HEADS)
        _check_flags(self)
        _check_extractor(self)
        if self.name is not None and not (
            isinstance(self.name, str) and _NAME.fullmatch(self.name)
        ):
            raise InputError(
                f"an arm's name is {self.name!r}: use letters, digits, '.', '_' and '-', 64 at most"
            )

    def __hash__(self) -> int:
        return hash(self._content())

    def _content(self) -> str:
        """Return what equal arms have in common, as text."""
        return json.dumps([getattr(self, f.name) for f in fields(self) if f.compare])

    @property
    def label(self) -> str:
        """A short name for tables and folders: the user's, or one made of what the arm says.

        It is part of a run's id, so what an arm is called must never change. Arms without a name
        of their own have the same label only if they are equal.
        """
        if self.name is not None:
            return self.name
        if self.extractor is not None:
            content = json.dumps([self.extractor, self.kwargs])
            digest = hashlib.sha256(content.encode()).hexdigest()
            return f"{self.extractor.partition(':')[2]}-{digest[:8]}"
        return "-".join(part for part in (_sight(self), self.backbone, self.head) if part)

    def resolved(self, backbone: Backbone, head: Head) -> Arm:
        """Return the arm with the experiment's backbone and head where it has none of its own.

        Raises:
            InputError: If `coords` names a convolution that the backbone does not have.
        """
        if self.extractor is not None:
            return self
        return replace(self, backbone=self.backbone or backbone, head=self.head or head)


def _sight(arm: Arm) -> str:
    """Say in a name what an arm's network sees of coordinates: the built-in arms' names."""
    if arm.coords == "none":
        return "cnn"
    if (arm.coords, arm.radius, arm.actor_only, arm.shuffled) == ("first", False, False, True):
        return "shuffled"
    where = {"first": "", "all": "all"}.get(str(arm.coords), ".".join(map(str, arm.coords)))
    flags = ("r", arm.radius), ("actor", arm.actor_only), ("shuffled", arm.shuffled)
    parts = ["coordconv", where, *(flag for flag, is_set in flags if is_set)]
    return "-".join(part for part in parts if part)


def _is_whole(index: object) -> bool:
    return isinstance(index, numbers.Integral) and not isinstance(index, bool)


def chosen_convolutions(coords: Coords | Sequence[int], backbone: Backbone) -> frozenset[int]:
    """Return the indices of the convolutions that get coordinates.

    Args:
        coords: "first", "all", "none", or indices from 0 (any integers, NumPy's too).
        backbone: A name in `CONVOLUTIONS`.

    Raises:
        InputError: If the backbone, the word or an index does not exist.
    """
    _check_choice("backbone", backbone, CONVOLUTIONS)
    total = CONVOLUTIONS[backbone]
    if isinstance(coords, str):
        words = {"none": 0, "first": 1, "all": total}
        _check_choice("coords", coords, words)
        return frozenset(range(words[coords]))
    try:
        indices = [int(index) if _is_whole(index) else -1 for index in coords]
    except TypeError:  # no sequence
        indices = []
    if not indices or len(set(indices)) < len(indices) or not set(indices) <= set(range(total)):
        raise InputError(
            f"coords={coords!r} are not distinct indices of {backbone}'s {total} convolutions: "
            f"take some of 0 to {total - 1}, or 'first', 'all' or 'none'"
        )
    return frozenset(indices)


def _checked_coords(coords: Any, backbone: Backbone | None) -> Any:
    """Return coords as a word or a sorted tuple of indices that the backbone (or any) has."""
    most = max(CONVOLUTIONS, key=CONVOLUTIONS.__getitem__)
    chosen = chosen_convolutions(coords, most if backbone is None else backbone)
    return coords if isinstance(coords, str) else tuple(sorted(chosen))


def _check_choice(what: str, value: object, choices: Iterable[str]) -> None:
    if value not in list(choices):
        raise unknown(what, value, choices)


def _check_flags(arm: Arm) -> None:
    for flag in ("radius", "shuffled", "actor_only"):
        value = getattr(arm, flag)
        if not isinstance(value, bool):
            raise InputError(f"an arm's {flag} is {value!r}: it must be true or false")
        if value and arm.coords == "none":
            raise InputError(f"an arm has {flag} but no coordinates: set coords, as to first")


def _check_extractor(arm: Arm) -> None:
    """Raise `InputError` unless extractor and kwargs make sense with the rest of the arm."""
    if arm.extractor is None:
        if arm.kwargs:
            raise InputError("an arm has kwargs without extractor: name the class that takes them")
        return
    if not isinstance(arm.extractor, str) or not _EXTRACTOR.fullmatch(arm.extractor):
        raise InputError(f"an arm's extractor is {arm.extractor!r}: write package.module:Class")
    for key, usual in (("coords", "none"), ("backbone", None), ("head", None)):  # flags need coords
        if getattr(arm, key) != usual:
            raise InputError(
                f"an arm has an extractor of its own and {key}, which the built-in ones take: "
                "leave it out, and give the class what it takes as kwargs"
            )


def _plain(kwargs: Any) -> dict[str, Any]:
    """Return a copy of kwargs, or raise `InputError` if they are not what YAML can hold."""
    try:
        same: dict[str, Any] = json.loads(json.dumps(kwargs, sort_keys=True))
    except (TypeError, ValueError):
        same = {}
    if not isinstance(kwargs, Mapping) or same != kwargs:
        raise InputError(
            f"an arm's kwargs are {kwargs!r}: write names with numbers, texts, lists or mappings"
        )
    return same
