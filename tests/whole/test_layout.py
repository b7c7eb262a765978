"""The rules of the house: what imports what, what each sign says, and that facts stand once."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
from source import PACKAGE, ROOT, Module, exported, modules

TESTS = Path(__file__).parents[1]
ROOT_MODULES = {"arms", "errors", "files", "locks", "processes", "processor", "signals"}
BELOW = {
    "layers": set(),
    "fast": {"layers"},
    "sb3": {"layers", "fast"},
    "envs": set(),
    "configs": {"envs"},
    "runs": {"configs", "envs"},
    "agents": {"layers", "fast", "sb3", "envs", "configs", "runs"},
    "comparison": {"envs", "configs", "runs"},
    "studies": {"layers"},
    "cli": {"sb3", "envs", "configs", "runs", "agents", "comparison", "studies"},
}
FOLDERS = sorted(name for name, module in modules().items() if module.is_folder and name)
NO_TORCH = ("comparison", "runs", "configs")
NEEDS_EXTRA = ("ray_backend", "slurm_backend")
TASKS = {"settings", "build", "loss", "judge", "paint", "data", "study", "baseline", "coordconv"}
TASKS |= {"choose", "measures", "samples", "ceiling"}


def where(module: Module, line: int) -> str:
    return f"{module.path.relative_to(ROOT.parent)}:{line}"


@pytest.mark.parametrize("room", sorted({m.room for m in modules().values() if m.name}))
def test_rule_1_imports_go_one_way(room):
    if room in ROOT_MODULES | {"__main__"}:
        allowed = ROOT_MODULES | ({"cli"} if room == "__main__" else set())
    else:
        assert room in BELOW, f"{room} has no rule"
        allowed = BELOW[room] | {room} | ROOT_MODULES
    wrong = [
        f"{where(module, found.line)} imports {found.module}"
        for module in modules().values()
        if module.room == room
        for found in module.imports()
        if found.module.partition(".")[0] not in allowed
    ]
    assert not wrong, "\n".join(wrong)


def test_rule_1_there_is_no_cycle():
    below = {
        name: {found.module for found in module.imports()} - {name}
        for name, module in modules().items()
    }
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path[path.index(name) :], name))
        if name not in done:
            for other in sorted(below.get(name, ())):
                visit(other, (*path, name))
            done.add(name)

    for name in below:
        visit(name, ())


def test_rule_1_the_fast_computation_knows_no_sb3_class():
    for name, module in modules().items():
        if module.room in {"fast", "layers"}:
            assert "stable_baselines3" not in module.path.read_text(), name


@pytest.mark.parametrize("room", [*NO_TORCH, "envs.games", "cli.main", "studies"])
def test_rule_2_starts_without_torch(room):
    names = [n for n, m in modules().items() if n == room or (room in NO_TORCH and m.room == room)]
    lines = [
        f"import {PACKAGE}.{name}"
        for name in names
        if not name.endswith(("ray_backend", "slurm_backend"))
    ]
    lines += ["import sys", "found = {'torch', 'stable_baselines3'} & set(sys.modules)"]
    command = [sys.executable, "-c", "\n".join([*lines, "sys.exit(bool(found))"])]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("room", NO_TORCH)
def test_rule_2_torch_is_not_imported_later_either(room):
    for name, module in modules().items():
        if module.room == room:
            for node in ast.walk(module.tree):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                assert not {n.split(".")[0] for n in names} & {"torch", "stable_baselines3"}, name


@pytest.mark.parametrize("folder", FOLDERS)
def test_rule_3_each_folder_maps_itself(folder):
    module = modules()[folder]
    text = ast.get_docstring(module.tree) or ""
    lines = re.findall(r"^- `(\w+)`: \S.*", text, flags=re.MULTILINE)
    inside = {
        name.removeprefix(folder + ".")
        for name, other in modules().items()
        if name != folder
        and (other.folder.rpartition(".")[0] if other.is_folder else other.folder) == folder
    }
    assert sorted(lines) == sorted(inside)
    assert re.match(r"[A-Z].*\.\n", text + "\n"), "its first line says what the folder is"


def test_rule_3_contributing_maps_the_rooms():
    text = (ROOT.parent / "CONTRIBUTING.md").read_text()
    rows = re.findall(r"^\| `coordconv_rl/(\w+)/` \| (.*) \|$", text, flags=re.MULTILINE)
    first = {
        room: (ast.get_docstring(modules()[room].tree) or "").splitlines()[0]
        for room in FOLDERS
        if "." not in room
    }
    assert dict(rows) == first


@pytest.mark.parametrize("folder", ["", *FOLDERS])
def test_rule_4_a_folder_exports_what_others_use(folder):
    wrong = []
    for module in modules().values():
        if module.folder != folder:
            continue
        for found in module.imports():
            target = modules()[found.module]
            home = target.folder
            inside = not home or f"{module.name}.".startswith(f"{home}.")
            private = found.name is not None and found.name.startswith("_")
            if private and home != folder:
                wrong.append(f"{where(module, found.line)}: {found.name} is private")
            if inside:
                continue
            if not target.is_folder:
                wrong.append(f"{where(module, found.line)}: take it from {home}, not {target.name}")
            elif found.name is not None and found.name not in exported(target):
                wrong.append(f"{where(module, found.line)}: {home} does not export {found.name}")
    assert not wrong, "\n".join(wrong)


def test_rule_5_a_name_means_one_thing():
    homes: dict[str, list[str]] = defaultdict(list)
    for name, module in modules().items():
        for node in module.tree.body:
            names = []
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                names = [node.name]
            elif isinstance(node, ast.Assign):
                names = [t.id for t in node.targets if isinstance(t, ast.Name)]
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                names = [node.target.id]
            for defined in names:
                public = not defined.startswith("_") and defined not in {"log", "main"}
                shape = name.startswith("studies.tasks.") and defined.lower() in TASKS
                if public and not shape:
                    homes[defined].append(name)
    twice = {name: places for name, places in homes.items() if len(places) > 1}
    assert not twice


FACTS = {
    "runs.layout": [
        "run.json", "config.yaml", "episodes.csv", "evaluation.json", "inspection.json",
        "inspection.png", "log.txt", "checkpoints", "best.json", "run.lock", "ledger.jsonl",
        "ledger.lock", "experiment.yaml", "COORDCONV_PARENT_PID",
    ],
    "errors": [130, 74],
}  # fmt: skip


@pytest.fixture(scope="module")
def constants():
    """Where each constant of the package stands, by its type and value."""
    found: dict[tuple[type, object], list[tuple[str, int]]] = defaultdict(list)
    for name, module in modules().items():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Constant):
                found[type(node.value), node.value].append((name, node.lineno))
    return found


@pytest.mark.parametrize(("home", "fact"), [(h, f) for h, facts in FACTS.items() for f in facts])
def test_rule_6_a_fact_stands_once(constants, home, fact):
    places = constants[type(fact), fact]
    assert [name for name, _ in places] == [home], places


READS_OTHERS_WORDS = {"cli.parse": "tyro's", "runs.record": "the kernel's"}


@pytest.mark.parametrize("name", sorted(set(modules()) - set(READS_OTHERS_WORDS)))
def test_rule_6_control_flow_reads_no_prose(name):
    wrong = []
    for node in ast.walk(modules()[name].tree):
        looked_at = [node.left, *node.comparators] if isinstance(node, ast.Compare) else []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            searches = {"startswith", "endswith", "find", "index", "match", "search", "fullmatch"}
            looked_at += node.args if node.func.attr in searches else []
        wrong += [
            f"{where(modules()[name], node.lineno)}: {value.value!r}"
            for value in looked_at
            if isinstance(value, ast.Constant)
            and isinstance(value.value, str)
            and " " in value.value.strip()
        ]
    assert not wrong, "\n".join(wrong)


def functions():
    for module in modules().values():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield module, node, (node.end_lineno or node.lineno) - node.lineno + 1


def test_long_functions_say_what_they_do():
    wrong = [
        f"{where(module, node.lineno)} {node.name}"
        for module, node, lines in functions()
        if lines > 15 and ast.get_docstring(node) is None
    ]
    assert not wrong, "\n".join(wrong)


def test_modules_and_functions_stay_small():
    long = [
        f"{where(module, node.lineno)} {node.name}: {lines} lines"
        for module, node, lines in functions()
        if lines > 50
    ]
    for module in modules().values():
        lines = len(module.path.read_text().splitlines())
        if lines > 250:
            long.append(f"{where(module, 1)}: {lines} lines")
    assert not long, "\n".join(long)


@pytest.mark.parametrize("folder", FOLDERS)
def test_tests_mirror_the_package(folder):
    missing = []
    for name, module in modules().items():
        logic = any(isinstance(n, ast.FunctionDef | ast.ClassDef) for n in ast.walk(module.tree))
        if module.folder == folder and not module.is_folder and logic:
            *rooms, leaf = name.split(".")
            path = TESTS.joinpath(*rooms, f"test_{leaf}.py")
            if not path.is_file():
                missing.append(str(path.relative_to(TESTS)))
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("name", ["agents", "envs", "configs"])
def test_links_lead_into_the_package(name):
    link = ROOT.parent / name
    if not (ROOT.parent / "pyproject.toml").is_file():
        pytest.skip("not a checkout")
    assert link.is_symlink()
    assert link.resolve() == (ROOT / name).resolve()
