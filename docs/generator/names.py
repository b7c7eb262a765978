"""The public names: what the package and its folders export, for mkdocstrings to write out.

The source is read and not imported, which would load torch.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = {  # where each folder's names are written out
    "coordconv_rl.layers": "python-layers.md",
    "coordconv_rl.sb3": "python-sb3.md",
    "coordconv_rl.envs": "python-envs.md",
}


@cache
def source(module: str) -> ast.Module:
    """Return the syntax of a module; of a folder, that of its `__init__`, or of the stub of it."""
    path = ROOT.joinpath(*module.split("."))
    places = path / "__init__.pyi", path / "__init__.py", path.with_suffix(".py")
    return ast.parse(next(one for one in places if one.is_file()).read_text(encoding="utf-8"))


def exports(module: str) -> list[str]:
    """Return a module's public names, those of its `__all__`."""
    for node in source(module).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return sorted(n for n in ast.literal_eval(node.value) if not n.startswith("__"))
    raise ValueError(f"{module} exports nothing")


def docstring(module: str, name: str) -> str:
    """Return what a name's docstring says where it is defined; a constant's stands below it."""
    body = source(module).body
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.ImportFrom) and name in {
            alias.asname or alias.name for alias in node.names
        }:
            origin = f"{module}.{node.module}" if node.level else str(node.module)
            return docstring(origin, name)
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            return ast.get_docstring(node) or ""
        if isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            if ast.unparse(target) == name and isinstance(after, ast.Expr):
                return str(ast.literal_eval(after.value))
    raise ValueError(f"{module}.{name} has no docstring")


def full_text(module: str) -> str:
    """Return the lines by which mkdocstrings writes out all that a module exports."""
    return "\n\n".join(f"::: {module}.{name}" for name in exports(module))


def name_table(module: str) -> str:
    """Return a table of a module's names: each with its first sentence and a link to the rest."""
    rows = ["| name | what it is |", "|---|---|"]
    for name in exports(module):
        home = next(room for room in PAGES if name in exports(room))
        text = " ".join(docstring(home, name).split("\n\n")[0].split())
        first = re.split(r"(?<=\.) (?=[A-Z])", text)[0]
        rows.append(f"| [`{name}`]({PAGES[home]}#{home}.{name}) | {first} |")
    return "\n".join(rows)
