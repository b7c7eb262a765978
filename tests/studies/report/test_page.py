"""The page and the tables alone: what stands in them."""

from __future__ import annotations

import pytest
import torch
from small_study import SMALL, row

from coordconv_rl.studies.report.page import markdown_table, write_markdown, write_page
from coordconv_rl.studies.report.pictures import draw_all
from coordconv_rl.studies.report.ratios import ratios
from coordconv_rl.studies.training.records import save_drawn


@pytest.fixture
def rows(tmp_path):
    found = [row("coordconv", [0.1, 0.3], 2.0, 50), row("convolution", [0.2], 8.0, 1000)]
    for each in found:
        each.results[0].measures = {"<share>": 0.5}
    folder = tmp_path / found[0].results[0].unit
    folder.mkdir(parents=True)
    save_drawn(folder, {"canvases": torch.rand(2, 64, 64)})
    return found


def test_the_page_holds_tables_notes_and_pictures_in_one_file(tmp_path, rows):
    draw_all(SMALL, rows, tmp_path)
    page = write_page(SMALL, rows, ratios(SMALL, rows), tmp_path).read_text()
    assert page.count("data:image/png;base64,") == 2
    assert "&lt;share&gt;" in page  # escaped
    assert "A random quarter of the positions is held out for the test." in page
    assert "to choose by holds positions that other seeds test" in page
    assert "<script" not in page


def test_the_tables_alone_are_markdown(tmp_path, rows):
    text = write_markdown(SMALL, rows, ratios(SMALL, rows), tmp_path).read_text()
    assert "| uniform | coordconv | 2 of 2 |" in text
    assert "| uniform | convolution | 0.500 |" in text


def test_a_table_in_markdown():
    assert markdown_table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
