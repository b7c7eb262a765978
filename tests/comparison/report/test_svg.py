"""A figure as files, and as an element that fits into a page beside others."""

from __future__ import annotations

from xml.etree import ElementTree

from matplotlib.figure import Figure

from coordconv_rl.comparison.report.svg import save_figure, style


def drawn(folder, name="one"):
    with style():
        figure = Figure(figsize=(2, 2))
        figure.subplots().plot([0, 1], color="#0072b2", clip_on=True)
        return save_figure(figure, folder, name, "A <caption>", 'Says "what" & why')


def test_it_is_saved_twice_the_same_each_time(tmp_path):
    drawn(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(before) == {"one.png", "one.svg"}
    drawn(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_element_takes_the_pages_colours_and_shares_no_id(tmp_path):
    first, second = drawn(tmp_path, "one").svg, drawn(tmp_path, "two").svg
    assert "currentColor" in first
    assert "var(--blue)" in first
    assert "#1c2024" not in first
    element = ElementTree.fromstring(first)
    assert element.get("aria-label") == 'Says "what" & why'
    assert element.get("role") == "img"
    assert element.get("width") is None
    ids, others = (
        {found.get("id") for found in ElementTree.fromstring(text).iter() if found.get("id")}
        for text in (first, second)
    )
    assert ids
    assert not ids & others
