"""The comparison in TensorBoard's own pages, in a real browser, served by the real command."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import browser as chromium
import pytest
from synthetic import make_experiment
from waiting import LIMIT

from coordconv_rl.comparison.tensorboard.writer import Aggregates

pytestmark = chromium.needs_chromium
ARMS = ["cnn", "coordconv", "shuffled"]
RUNS = [f"by-arm/{arm}" for arm in ARMS]
GAMES = ["Breakout", "Pong"]

# TensorBoard's pages are custom elements with shadow roots, which selectors do not look into.
DEEP = """
const all = (node) => [node, ...[...(node.shadowRoot?.children ?? []), ...(node.children ?? [])]
  .flatMap(all)];
const seen = (e) => e.getBoundingClientRect().width > 0 && e.getBoundingClientRect().height > 0;
const find = (name, inside = document.body) =>
  all(inside).filter((e) => e.matches(name) && seen(e));
const texts = (name, inside) => find(name, inside).map((e) => e.textContent.trim());
"""
LINES = """
return find(arguments[0]).map((card) => ({
  title: texts(".heading-label.name", card)[0],
  lines: new Set(find("path.line", card).map((p) => getComputedStyle(p).stroke)
    .filter((colour) => colour !== "none")).size,
  areas: new Set(find("path.area", card).map((p) => getComputedStyle(p).fill)).size,
}));
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A comparison of three arms, two games and three seeds, in TensorBoard on a free port."""
    folder = tmp_path_factory.mktemp("comparison")
    make_experiment(folder, games=tuple(GAMES), seeds=(1, 2, 3))
    with Aggregates(folder) as aggregates:
        aggregates.update((), now=True)
    command = [sys.executable, "-m", "coordconv_rl", "tensorboard", str(folder), "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    found = (w for line in server.stdout for w in line.split() if w.startswith("http://127.0.0.1:"))
    url = next(found, None)
    assert url is not None
    yield url
    server.terminate()
    assert server.communicate(timeout=LIMIT) == ("", "")  # the address alone, and no log
    assert server.returncode == 0


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    """A browser for all tests."""
    started = chromium.start(tmp_path_factory.mktemp("profile"), "--window-size=1400,1000")
    yield started
    started.quit()


@pytest.fixture
def page(driver, address, request):
    """Open one of TensorBoard's tabs and return a function that asks for something in it.

    If COORDCONV_SHOTS names a folder, what the browser shows at a test's end is kept there.
    """

    def show(tab):
        driver.get("about:blank")
        driver.get(f"{address}#{tab}")
        return lambda script, *arguments: driver.execute_script(DEEP + script, *arguments)

    yield show
    if folder := os.environ.get("COORDCONV_SHOTS"):
        driver.save_screenshot(str(Path(folder) / f"tb-{request.node.name}.png"))


def wait_for(ask, script, *arguments, until):
    """Ask until the answer is right, and return it; the last answer if it never is."""
    deadline = time.monotonic() + LIMIT
    while True:
        answer = ask(script, *arguments)
        if until(answer) or time.monotonic() > deadline:
            return answer
        time.sleep(0.2)


def test_scalars_has_one_chart_a_game_with_one_line_an_arm(page):
    ask = page("scalars")

    def whole(charts):
        return sum(c["lines"] == 3 for c in charts) >= 2

    charts = wait_for(ask, LINES, "tf-scalar-card", until=whole)
    means = {c["title"]: c["lines"] for c in charts if c["title"].startswith("comparison")}
    assert means == {f"comparison_ppo/{game}": len(ARMS) for game in GAMES}
    assert ask("return texts('.item-label-container')") == RUNS


def test_custom_scalars_has_one_margin_chart_a_game(page):
    ask = page("custom_scalars")

    def whole(charts):
        return len(charts) == 2 and all(c["areas"] == 3 for c in charts)

    charts = wait_for(ask, LINES, "tf-custom-scalar-margin-chart-card", until=whole)
    assert sorted(c["title"] for c in charts) == GAMES
    assert [(c["lines"], c["areas"]) for c in charts] == [(3, 3), (3, 3)]
    assert ask("return texts('.category-name')") == ["ppo: mean, lowest and highest seed"]


def test_hparams_compares_the_arms_by_their_scores(page):
    ask = page("hparams")
    table = "return [texts('.table-header'), texts('.table-cell:not(.table-header)')]"
    header, cells = wait_for(ask, table, until=lambda found: "shuffled" in found[1])
    assert header[2:] == ["arm", "coordinates", "shuffled", "Breakout (ppo)", "Pong (ppo)"]
    assert len(cells) % len(ARMS) == 0
    width = len(cells) // len(ARMS)
    rows = [cells[start : start + width] for start in range(0, len(cells), width)]
    assert [row[0] for row in rows] == ARMS
    scores = {row[0]: [float(cell) for cell in row[-2:]] for row in rows}
    assert all(scores["coordconv"][game] > scores["cnn"][game] + 5 for game in (0, 1))
