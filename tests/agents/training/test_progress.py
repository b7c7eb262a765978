from __future__ import annotations

import io

import pytest
from rich.console import Console

from coordconv_rl.agents.training import progress as progress_module
from coordconv_rl.agents.training.progress import (
    GamesProgress,
    Progress,
    fitting_facts,
    games_left_seconds,
)

RUN = "ppo/MontezumaRevenge/coordconv-actor/seed-12"


@pytest.mark.parametrize(
    ("room", "expected"),
    [
        (200, "1,234,567/10,000,000 steps, 456 steps/s, score 1,234.5, 5:20:22 left"),
        (60, "12%, 456 steps/s, score 1,234.5, 5:20:22 left"),
        (40, "12%, score 1,234.5, 5:20:22 left"),
        (20, "12%, 5:20:22 left"),
    ],
)
def test_facts_leave_out_what_has_no_room_but_never_the_time_left(room, expected):
    assert fitting_facts(room, 1_234_567, 10_000_000, 456.0, 1234.5) == expected


def test_nothing_is_known_at_first():
    assert fitting_facts(99, 0, 100, 0.0, None) == "0/100 steps, 0 steps/s, no game yet, ? left"


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_live_line_has_a_bar_and_the_time_left_in_one_row(width):
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=True, color_system=None)
    with Progress(RUN, 10_000_000, shown=True, console=console) as progress:
        progress.update(1_234_567, 456.0, 1234.5)
    lines = file.getvalue().splitlines()
    assert lines[0] == RUN
    row = next(line for line in reversed(lines) if "left" in line)
    assert "5:20:22 left" in row
    assert row.index("12%" if width < 100 else "1,234") - row.index("━") >= 12
    assert len(row.rstrip()) <= width + len("\x1b[2K\r")


def test_without_a_terminal_there_is_a_line_now_and_then(monkeypatch):
    file = io.StringIO()
    clock = iter([0.0, 0.0, 1.0, 16.0, 16.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    with Progress(RUN, 100, shown=True, console=Console(file=file)) as progress:
        for step in (10, 20, 30):  # at once, a second later, 16 seconds later
            progress.update(step, 5.0, None)
    assert file.getvalue().splitlines() == [
        f"{RUN}: 10/100 steps, 5 steps/s, no game yet, 0:18 left",
        f"{RUN}: 30/100 steps, 5 steps/s, no game yet, 0:14 left",
    ]


def test_games_say_how_many_are_over_and_what_is_left(caplog, monkeypatch):
    caplog.set_level("INFO")
    monkeypatch.setattr(progress_module, "LINE_SECONDS", 0.0)
    games = GamesProgress("evaluation", 5, already=2)
    games.step(400)
    games.end(1_000)
    games.step(1_000)
    assert caplog.messages[0] == "evaluation: 5 games, 2 of them already"
    assert caplog.messages[1] == "evaluation: 2 of 5 games over, ? left"
    assert caplog.messages[2].startswith("evaluation: 3 of 5 games over, 0:0")


@pytest.mark.parametrize(
    ("lengths", "left", "frames", "expected"),
    [
        ([], 3, 400, None),
        ([1_000], 3, 1_000, 30.0),  # three more of the same length, one at a time
        ([1_000], 3, 2_500, 6.0),  # those that go on have 1,500 of 3,000 frames behind them
        ([1_000], 1, 5_000, 4.0),  # longer than all before: half of its 4,000 frames again
    ],
)
def test_time_left_of_games(lengths, left, frames, expected):
    """At the speed so far, which here is `frames` in 10 seconds."""
    assert games_left_seconds(lengths, left, frames, 10.0) == expected
