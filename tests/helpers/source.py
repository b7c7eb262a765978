"""The package's own source, read as data: which module imports, defines and says what."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import coordconv_rl

PACKAGE = "coordconv_rl"
ROOT = Path(coordconv_rl.__file__).parent


@dataclass(frozen=True)
class Import:
    """One imported name.

    Attributes:
        module: Where it comes from, without the package's name: "envs.games"; "" is the root.
        name: The name; None where a module itself is imported.
        line: Where it stands.
    """

    module: str
    name: str | None
    line: int


@dataclass(frozen=True, eq=False)
class Module:
    """One source file.

    Attributes:
        name: Without the package's name: "envs.games"; a folder's `__init__` is the folder.
        path: The file.
        tree: Its syntax.
        is_folder: Whether it is an `__init__`.
    """

    name: str
    path: Path
    tree: ast.Module
    is_folder: bool

    @property
    def room(self) -> str:
        """The first part of the name: a folder on the ground plan, or a root module."""
        return self.name.partition(".")[0]

    @property
    def folder(self) -> str:
        """The folder that it stands in."""
        return self.name if self.is_folder else self.name.rpartition(".")[0]

    def imports(self) -> Iterator[Import]:
        """Yield what it imports of the package, deferred imports too."""
        known = modules()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.name.split(".")[0] == PACKAGE:
                        yield Import(
                            alias.name.removeprefix(PACKAGE).lstrip("."), None, node.lineno
                        )
            elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE:
                origin = (node.module or "").removeprefix(PACKAGE).lstrip(".")
                for alias in node.names:
                    inner = f"{origin}.{alias.name}".lstrip(".")
                    if inner in known:
                        yield Import(inner, None, node.lineno)
                    else:
                        yield Import(origin, alias.name, node.lineno)


@cache
def modules() -> dict[str, Module]:
    """Return all modules of the package by name."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        is_folder = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_folder else parts)
        found[name] = Module(name, path, ast.parse(path.read_text()), is_folder)
    return found


def exported(module: Module) -> set[str]:
    """Return the names in a module's `__all__`, as it is at run time."""
    namespace = __import__(f"{PACKAGE}.{module.name}".rstrip("."), fromlist=["__all__"])
    return set(getattr(namespace, "__all__", ()))
