"""Progress and closing tables in a terminal of a certain width."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from small_study import SMALL, finished, row, unit

from coordconv_rl.studies.report.ratios import ratios
from coordconv_rl.studies.report.terminal import ProgressWatcher, show_end


def console(width=160):
    return Console(file=io.StringIO(), width=width)


@pytest.mark.parametrize(("judged", "part"), [("test", "test"), ("validation", "validation")])
def test_a_training_that_ended_has_a_line_with_its_value(tmp_path, judged, part):
    out = console()
    watcher = ProgressWatcher(SMALL, tmp_path, out)
    watcher.started(2)
    done = unit(judged=judged)
    watcher.finished(done, finished(done.path, 0.25, 2.0))
    watcher.failed(unit(seed=1), "ValueError: [odd]")
    watcher.close()
    text = out.file.getvalue()
    assert f"{done.path}: {part} error 0.250 px, 20.0 s" in text
    assert "seed-1: failed: ValueError: [odd]" in text


def test_the_closing_tables_say_what_is_missing(tmp_path):
    ours = row("coordconv", [0.1, 0.3], 2.0, 50)
    theirs = row("convolution", [0.2], 8.0, 1000)
    theirs = type(theirs)(**{**vars(theirs), "wanted": 3})
    theirs.results[0].measures = {"share": 0.5}
    out = console()
    show_end(SMALL, [ours, theirs], ratios(SMALL, [ours, theirs]), [tmp_path / "page"], out)
    text = out.file.getvalue()
    assert "uniform convolution: 2 seeds are missing" in text
    assert "Further measures" in text
    assert "settings" in text
    assert str(tmp_path / "page") in text.replace("\n", "")


def test_a_narrow_terminal_gets_fewer_columns():
    ours = row("coordconv", [0.1, 0.3], 2.0, 50)
    out = console(100)
    show_end(SMALL, [ours], [], [], out)
    assert "settings" not in out.file.getvalue()
