"""Tables of a configuration's keys, from its dataclasses: names, types, defaults and docstrings."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

import griffe

from coordconv_rl import arms, configs, envs
from coordconv_rl.configs import DEFAULT_RUN, preset

SECTIONS = {  # a nested class's keys stand below this heading of the same page
    "Evaluation": "#evaluation",
    "Hyperparameters": "#hyperparameters",
    "ImageGame": "#games-of-other-names",
}
WORDS = {int: "whole number", float: "number", str: "text", bool: "`true` or `false`"}
SEVERAL = {"whole number": "whole numbers", "text": "texts", "text or mapping": "names or mappings"}
FAMILIES = ("atari", "minatar")


def key_table(name: str) -> str:
    """Return the table of a dataclass's keys, in the order in which a file is written.

    Args:
        name: A class of `coordconv_rl.configs`, `.envs` or `.arms`.
    """
    (kind,) = {getattr(room, name) for room in (configs, envs, arms) if hasattr(room, name)}
    hints = typing.get_type_hints(kind, include_extras=True)
    said = descriptions(kind)
    rows = ["| key | value | default | what it says |", "|---|---|---|---|"]
    for field in dataclasses.fields(kind):
        if field.name not in said:
            continue
        cells = (
            f"`{field.name}`", in_words(hints[field.name]), default_of(kind, field),
            said[field.name],
        )  # fmt: skip
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows)


def descriptions(kind: type[Any]) -> dict[str, str]:
    """Return what the docstrings of a class and its parents say of each attribute."""
    found: dict[str, str] = {}
    for part in kind.__mro__:
        text = griffe.Docstring(part.__dict__.get("__doc__") or "", parser="google")
        for section in text.parse(warnings=False):
            if section.kind is griffe.DocstringSectionKind.attributes:
                for one in section.value:
                    found.setdefault(one.name, " ".join(one.description.split()))
    return found


def in_words(hint: Any) -> str:
    """Say in words what a value may be."""
    origin, given = get_origin(hint), get_args(hint)
    if origin is typing.Annotated:
        words = in_words(_choices(given[1:]) or given[0])
    elif origin is Literal:
        words = ", ".join(f"`{choice}`" for choice in given)
    elif origin in (typing.Union, types.UnionType):
        words = " or ".join(in_words(one) for one in given if one is not type(None))
    elif origin is tuple:
        inner = in_words(given[0])
        words = f"list of {SEVERAL.get(inner, inner)}"
    elif origin in (dict, Mapping):
        inner = in_words(given[-1])
        words = f"names, each a {inner}" if inner.startswith("mapping") else "mapping"
    elif dataclasses.is_dataclass(hint):
        words = f"mapping as [below]({SECTIONS[hint.__name__]})"
    else:
        words = WORDS.get(hint, "anything")
    return words


def _choices(extras: tuple[Any, ...]) -> Any:
    """Return the choices that an annotation for the command line names, or None."""
    for extra in extras:
        factory = getattr(extra, "constructor_factory", None)
        if factory is not None and get_origin(factory()) is Literal:
            return factory()
    return None


def default_of(kind: type[Any], field: dataclasses.Field[Any]) -> str:
    """Return a key's default as YAML has it; "needed" where there is none."""
    if kind is configs.RunConfig and field.name in DEFAULT_RUN:
        return f"`{DEFAULT_RUN[field.name]}`"
    value = field.default
    if field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
        if not value or dataclasses.is_dataclass(value):
            return "those below" if value else "none"
    if value is dataclasses.MISSING:
        return "the preset's" if field.name == "hyperparameters" else "needed"
    if value is None or value == ():
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def preset_table(_: str) -> str:
    """Return every algorithm's preset, for each family of games that has one of its own."""
    columns = {
        f"{algo.upper()}, {family}": preset(algo, family=family)
        for family in FAMILIES
        for algo in get_args(configs.Algo)
    }
    rows = [f"| key | {' | '.join(columns)} |", "|---|" + "---|" * len(columns)]
    for field in dataclasses.fields(configs.Hyperparameters):
        values = [getattr(found, field.name) for found in columns.values()]
        shown = ["" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
                 for value in values]  # fmt: skip
        rows.append(f"| `{field.name}` | {' | '.join(shown)} |")
    return "\n".join(rows)
