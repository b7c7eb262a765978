"""What a configuration's fields hold, how the command line reads them, and ids made of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Literal, TypeVar

import tyro
from pydantic import TypeAdapter

from coordconv_rl.arms import ARMS, parse_arm
from coordconv_rl.envs import SUITES


def _hint(default: str) -> str:
    """Say a default in the help as people type it."""
    plain = default.strip("[]").replace("'", "")
    return "(optional)" if plain == "None" else f"(default: {plain})"


OPTIONAL = tyro.conf.arg(help_behavior_hint=_hint)
# What `parse_arm` reads. The command line takes names: the built-in ones, with a backbone or head
# behind them too, and those that an experiment's file gives to arms of its own.
ArmValue = Annotated[
    str | dict[str, Any],
    tyro.constructors.PrimitiveConstructorSpec(
        nargs=1,
        metavar=f"{{{','.join(ARMS)}}}",
        instance_from_str=lambda words: words[0],
        is_instance=lambda value: isinstance(value, str | dict),
        str_from_instance=lambda value: [parse_arm(value).label],
    ),
]
SuiteName = Annotated[
    str, tyro.conf.arg(constructor=Literal[tuple(SUITES)], help_behavior_hint=_hint)
]
Algo = Literal["a2c", "ppo"]
Protocol = Literal["v4", "v5"]
Precision = Literal["auto", "float32", "bfloat16"]
ComputePath = Literal["fast", "plain"]


def plain_number(value: Any) -> Any:
    """Return NumPy's numbers and arrays as Python's, where JSON finds something that it lacks.

    Raises:
        TypeError: It is something else.
    """
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{value!r} is neither a number, a text, a list nor a mapping")


def take_plain_numbers(config: Any) -> None:
    """Put Python's numbers in the place of NumPy's in the fields of a new configuration."""
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if isinstance(value, tuple):
            plain: Any = tuple(v.tolist() if hasattr(v, "tolist") else v for v in value)
        else:
            plain = value.tolist() if hasattr(value, "tolist") else value
        object.__setattr__(config, field.name, plain)


def game_folder(game: str) -> str:
    """Return what files and folders call a game: "minatar-breakout" for "minatar/breakout"."""
    return game.replace("/", "-").replace(":", "-")


def make_run_id(algo: str, game: str, arm: str, seed: int) -> str:
    """Return a run's id, which is its folder below the experiment's."""
    return f"{algo}/{game_folder(game)}/{arm}/seed-{seed}"


_Kind = TypeVar("_Kind")


@cache  # one takes 3 ms to make
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def from_json(kind: Callable[..., _Kind], text: str) -> _Kind:
    """Make a dataclass of JSON, strictly: no other types, and no further keys."""
    made: _Kind = _adapter(kind).validate_json(text, strict=True, extra="forbid")
    return made
