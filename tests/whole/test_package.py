"""The wheel and the sdist: complete, and running away from the checkout."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def has_new_setuptools() -> bool:
    """Say whether this environment has the setuptools that pyproject.toml asks for."""
    try:
        return int(version("setuptools").split(".")[0]) >= 77
    except PackageNotFoundError:
        return False


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build both from the tracked files, with this environment's setuptools if it is new enough.

    `tests/install.py` builds in an environment that has nothing but what the package asks for.
    """
    source, output = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    listed = subprocess.run(
        ["git", "ls-files"], capture_output=True, text=True, check=False, cwd=ROOT
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    for name in listed.stdout.splitlines():
        if not (ROOT / name).is_symlink() and (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    here = ["--no-isolation"] if has_new_setuptools() else []
    command = [sys.executable, "-m", "build", *here, "--outdir", str(output), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return next(output.glob("*.whl")), next(output.glob("*.tar.gz"))


NEEDED = [
    "coordconv_rl/py.typed",
    "coordconv_rl/__init__.pyi",
    "coordconv_rl/envs/__init__.pyi",
    "coordconv_rl/comparison/launch/__init__.pyi",
    "coordconv_rl/configs/experiments/quick.yaml",
    "coordconv_rl/configs/presets/ppo.yaml",
    "coordconv_rl/envs/reference_scores.csv",
    "coordconv_rl/comparison/report/page.html.j2",
]


def test_wheel_and_sdist_hold_everything(built):
    wheel, sdist = built
    in_wheel = set(zipfile.ZipFile(wheel).namelist())
    with tarfile.open(sdist) as archive:
        in_sdist = {name.partition("/")[2] for name in archive.getnames()}
    command = ["git", "ls-files", "coordconv_rl/**.py"]
    tracked = subprocess.check_output(command, text=True, cwd=ROOT)
    modules = set(tracked.split())
    assert (modules | set(NEEDED)) - in_wheel == set()
    assert set(NEEDED) - in_sdist == set()
    top = {name.split("/")[0] for name in in_wheel}
    assert top == {"coordconv_rl", next(name for name in top if name.endswith(".dist-info"))}


def test_wheel_runs_away_from_the_checkout(built, tmp_path):
    """Unpacked alone and put first on the path, as an installed wheel would be."""
    wheel, _ = built
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r});"
        "import coordconv_rl; from coordconv_rl.cli.main import main;"
        "from coordconv_rl.configs.load import load_experiment; load_experiment('quick');"
        f"assert coordconv_rl.__file__.startswith({str(tmp_path)!r});"
        "sys.exit(main(['games', '--suite', 'atari-5']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "Phoenix" in done.stdout
