"""What stands twice by need says the same: versions, hooks, the citation; and the changed tests."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from changed import changed_files, files_to_test
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
if not (ROOT / "pyproject.toml").is_file():
    pytest.skip("not a checkout", allow_module_level=True)
if sys.version_info >= (3, 11):
    import tomllib
else:
    pytest.skip("tomllib comes with Python 3.11", allow_module_level=True)

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
REQUIRED = [Requirement(text) for text in PROJECT["dependencies"]]


def pins(name):
    lines = [line.partition("#")[0].strip() for line in (ROOT / name).read_text().splitlines()]
    parsed = [Requirement(line) for line in lines if line]
    return {
        canonicalize_name(one.name): Version(next(iter(one.specifier)).version) for one in parsed
    }


def test_the_oldest_versions_are_the_lower_bounds():
    bounds = {}
    for one in REQUIRED:
        (lowest,) = (s.version for s in one.specifier if s.operator == ">=")
        bounds[canonicalize_name(one.name)] = Version(lowest)
        assert not [s for s in one.specifier if s.operator in ("<", "<=", "==", "~=")], one
    oldest = pins("constraints-oldest.txt")
    assert set(oldest) == set(bounds)
    for name, bound in bounds.items():  # "4.9" as a bound is 4.9.0.80 as a version
        assert oldest[name].release[: len(bound.release)] == bound.release, name


def test_the_tested_versions_are_allowed_and_complete():
    tested = pins("constraints.txt")
    texts = [text for texts in PROJECT["optional-dependencies"].values() for text in texts]
    extras = map(Requirement, texts)
    for one in [*REQUIRED, *extras]:
        name = canonicalize_name(one.name)
        if name not in ("coordconv-rl", "rl-zoo3"):
            assert tested[name] in one.specifier, name
    assert Version("0.12.0") not in next(one for one in REQUIRED if one.name == "ale-py").specifier


def test_the_hooks_run_what_make_runs():
    (hooks,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    makefile = (ROOT / "Makefile").read_text()
    recipes = re.findall(r"^(?:lint|types): .*\n((?:\t.*\n)+)", makefile, flags=re.MULTILINE)
    lines = "".join(recipes).replace("$(BIN)", ".venv/bin").split("\n")
    assert [hook["entry"] for hook in hooks["hooks"]] == [line.strip() for line in lines if line]


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT["version"] == metadata.version("coordconv_rl")
    for template in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"):
        assert yaml.safe_load(template.read_text())


def test_what_changed_stands_for_its_tests(tmp_path):
    def git(*words):
        identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        subprocess.run(["git", *identity, *words], cwd=tmp_path, check=True, capture_output=True)

    for name in ("coordconv_rl/envs/games.py", "tests/envs/test_games.py", "tests/test_files.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("old\n")
    git("init", "-b", "main")
    git("add", "-A")
    git("commit", "-m", "one")
    git("checkout", "-b", "mine")
    (tmp_path / "coordconv_rl/envs/games.py").write_text("new\n")
    (tmp_path / "tests/test_new.py").write_text("new\n")
    (tmp_path / "README.md").write_text("new\n")
    paths = changed_files("main", tmp_path)
    assert sorted(paths) == ["README.md", "coordconv_rl/envs/games.py", "tests/test_new.py"]
    assert files_to_test(paths, tmp_path) == [
        "tests/whole/test_layout.py",
        "tests/envs/test_games.py",
        "tests/test_new.py",
    ]


def test_the_page_on_installing_lists_every_extra():
    text = (ROOT / "docs/install.md").read_text()
    listed = re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE)
    assert sorted(listed) == sorted(PROJECT["optional-dependencies"])
