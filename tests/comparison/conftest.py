"""A folder in which the launcher starts light workers."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from light_worker import experiment, run_experiment, use_light_workers


@pytest.fixture
def folder_of_light_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    use_light_workers(tmp_path, monkeypatch)
    made = tmp_path / "runs"
    made.mkdir()
    (made / "plan.json").write_text("{}")
    return made


@pytest.fixture(scope="session")
def done_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The light workers' experiment, whole and closed."""
    made = tmp_path_factory.mktemp("done") / "runs"
    with pytest.MonkeyPatch.context() as patched:
        use_light_workers(made.parent, patched)
        assert run_experiment(experiment(), made) == 0
    return made


@pytest.fixture
def done(done_once: Path, folder_of_light_workers: Path) -> Path:
    """A copy of it, for tests of what comes after."""
    return Path(shutil.copytree(done_once, folder_of_light_workers, dirs_exist_ok=True))
