"""The launcher's tests are about a folder of light workers."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def folder(folder_of_light_workers: Path) -> Path:
    return folder_of_light_workers
