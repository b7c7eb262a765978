"""Imports go down only: what each part of the package may import from the others."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import coordconv_rl

ROOT = Path(coordconv_rl.__file__).parent
BASE = {"errors", "files", "locks", "signals", "arms"}
LAYERS = BASE | {"grid", "share", "layers"}
NETWORKS = LAYERS | {"backbones", "extractors", "convert", "sb3_models"}
POLICIES = NETWORKS | {"precision", "optimizers", "buffers", "fast_network", "policies"}
POLICIES |= {"kept", "sampling", "naming", "repeats", "distinct", "algorithms"}
ALLOWED = {
    "layers": LAYERS,
    "convert": NETWORKS,
    "extractors": NETWORKS,
    "policies": POLICIES,
    "configs": BASE | {"configs", "envs.games"},
    "envs": BASE | {"envs"},
    "agents": POLICIES | {"agents", "configs", "envs", "cli.main"},  # train.py is a script too
    "comparison": BASE | {"comparison", "configs", "envs.games"},
    "studies": LAYERS | {"studies", "precision"},
}
NO_TORCH = ["arms", "errors", "cli", "configs.load", "envs.games", "comparison.launch"]
NO_TORCH += ["comparison.results", "comparison.statistics", "comparison.report"]


def imported(path: Path) -> set[str]:
    """Return the package's own modules that a file imports, without the package's name."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        found |= {name.removeprefix("coordconv_rl.") for name in names if "coordconv_rl." in name}
    return found


@pytest.mark.parametrize("part", ALLOWED)
def test_imports_go_down_only(part):
    home = ROOT / part
    files = list(home.rglob("*.py")) if home.is_dir() else [home.with_suffix(".py")]
    assert files
    for path in files:
        for name in imported(path):
            parts = name.split(".")
            prefixes = {".".join(parts[:i]) for i in range(1, len(parts) + 1)}
            assert prefixes & ALLOWED[part], f"{path.name} imports {name}"


@pytest.mark.parametrize("module", NO_TORCH)
def test_starts_without_torch(module):
    code = (
        f"import sys, coordconv_rl.{module};"
        "sys.exit(bool({'torch', 'stable_baselines3'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", ["agents", "envs", "configs"])
def test_links_lead_into_the_package(name):
    link = ROOT.parent / name
    if not (ROOT.parent / "pyproject.toml").is_file():
        pytest.skip("not a checkout")
    assert link.is_symlink()
    assert link.resolve() == (ROOT / name).resolve()
