"""What a test opens is closed behind it."""

from __future__ import annotations

from collections.abc import Iterator

import open_games
import pytest


@pytest.fixture(autouse=True)
def _games_are_closed() -> Iterator[None]:
    yield
    open_games.close_all()
