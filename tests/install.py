"""Install the package as users do: `python tests/install.py python3.10 python3.12 python3.13`.

For each Python, in an environment of its own: from a wheel and from git, with all that it needs,
and an agent is trained. Where torch can be had for no other Python without gigabytes of CUDA,
`--without-torch` leaves out what needs it: commands, modules and a report that need none are run.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
NEED_TORCH = ("torch", "stable-baselines3")
COMPARISON = ROOT / "tests" / "data" / "comparison-0.1.0"
TRAIN = "train --steps 64 --n-envs 2 --n-steps 16 --batch-size 16 --folder run"
IMPORT_ALL = """
import importlib, pkgutil, sys
import coordconv_rl
for room in ("runs", "configs", "comparison", "cli"):
    package = importlib.import_module(f"coordconv_rl.{room}")
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not found.name.endswith(("ray_backend", "slurm_backend")):
            importlib.import_module(found.name)
assert "torch" not in sys.modules
print(sys.version.split()[0], len([n for n in sys.modules if n.startswith("coordconv_rl")]))
"""


def call(*command: object, folder: Path) -> None:
    subprocess.run(list(map(str, command)), check=True, cwd=folder)


def requirements(wheel: Path, *, without_torch: bool) -> list[str]:
    """Return what the wheel asks for without extras."""
    (found,) = importlib.metadata.distributions(path=[str(wheel)])
    needed = [line for line in found.requires or [] if "extra ==" not in line]
    return [line for line in needed if not (without_torch and line.startswith(NEED_TORCH))]


def check(python: Path, folder: Path, *, without_torch: bool) -> None:
    """Run what there is, away from the checkout."""
    run = (python, "-m", "coordconv_rl")
    call(*run, "games", "--suite", "atari-5", folder=folder)
    if without_torch:
        call(python, "-c", IMPORT_ALL, folder=folder)
        shutil.copytree(COMPARISON, folder / "old", dirs_exist_ok=True)
        call(*run, "report", "old", folder=folder)
    else:
        shutil.rmtree(folder / "run", ignore_errors=True)
        call(*run, *TRAIN.split(), folder=folder)


def install(interpreter: str, wheel: Path, folder: Path, *, without_torch: bool) -> None:
    """Install from the wheel, then from git, and look at both."""
    call(interpreter, "-m", "venv", "venv", folder=folder)
    python = folder / "venv" / "bin" / "python"
    pip = (python, "-m", "pip", "install", "--quiet", "--no-compile")
    call(*pip, *requirements(wheel, without_torch=without_torch), folder=folder)
    for source in (wheel, f"git+file://{ROOT}"):  # up to pip 23, `NAME @` wants a host in the URL
        call(*pip, "--no-deps", "--force-reinstall", source, folder=folder)
        check(python, folder, without_torch=without_torch)
        print(f"{interpreter}: {source} works", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pythons", nargs="+")
    parser.add_argument("--without-torch", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        built = Path(name)
        build = (sys.executable, "-m", "build", "--wheel", "--outdir", built, ROOT)
        call(*build, folder=built)
        (wheel,) = built.glob("*.whl")
        for interpreter in options.pythons:
            folder = built / Path(interpreter).name
            folder.mkdir()
            install(interpreter, wheel, folder, without_torch=options.without_torch)
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
