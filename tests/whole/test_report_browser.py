"""The report's page in a real browser: offline, light and dark, on a phone, sortable."""

from __future__ import annotations

import browser as chromium
import pytest
from contrast import contrast, luminance
from synthetic import make_experiment, write_inspection

from coordconv_rl.comparison.report.write import write_report

pytestmark = chromium.needs_chromium


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    driver = chromium.start(tmp_path_factory.mktemp("profile"))
    driver.execute_cdp_cmd("Network.enable", {})
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("experiment")
    make_experiment(folder, lambda key: "failed" if key[1:] == ("Pong", "cnn", 2) else "done")
    write_inspection(folder, ("ppo", "Breakout", "coordconv", 1))
    return write_report(folder)


def show(browser, page, *, width=1200, scheme="light"):
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600},
    )
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    browser.get(page.as_uri())


def colour(browser, selector, what):
    script = "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]"
    rgb = browser.execute_script(script, selector, what)
    red, green, blue = (int(part) for part in rgb[rgb.index("(") + 1 : -1].split(",")[:3])
    return red, green, blue


def test_opens_without_errors_and_asks_the_network_for_nothing(browser, page):
    browser.get_log("browser"), browser.get_log("performance")
    show(browser, page)
    assert [entry["message"] for entry in browser.get_log("browser")] == []
    sent = [
        e["message"] for e in browser.get_log("performance") if "requestWillBeSent" in e["message"]
    ]
    assert len(sent) == 1
    assert page.as_uri() in sent[0]
    assert "does CoordConv help" in browser.title


def test_text_and_charts_can_be_read_in_light_and_dark(browser, page):
    for scheme, is_light in (("light", True), ("dark", False)):
        show(browser, page, scheme=scheme)
        ground = colour(browser, "body", "backgroundColor")
        assert (luminance(ground) > 0.5) == is_light
        assert contrast(colour(browser, "body", "color"), ground) > 7
        assert (
            contrast(
                colour(browser, ".banner", "color"), colour(browser, ".banner", "backgroundColor")
            )
            > 4.5
        )
        card = colour(browser, "figure", "backgroundColor")
        assert contrast(colour(browser, "figure svg text", "fill"), card) > 7
        assert contrast(colour(browser, "figcaption", "color"), card) > 4.5


def test_nothing_sticks_out_on_a_phone(browser, page):
    show(browser, page, width=380)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 380
    widths = browser.execute_script(
        "return [...document.querySelectorAll('figure svg')].map("
        "svg => svg.getBoundingClientRect().width)"
    )
    assert all(200 < width <= 380 for width in widths)


def test_no_column_of_the_pairs_is_hidden_and_a_lone_figure_is_no_larger(browser, page):
    show(browser, page, width=1280)
    hidden, widths = browser.execute_script(
        "const table = [...document.querySelectorAll('.scroll')]"
        ".find(t => t.ariaLabel.startsWith('Pairs of arms'));"
        "return [table.scrollWidth - table.clientWidth,"
        "[...document.querySelectorAll('figure')].map(f => f.getBoundingClientRect().width)]"
    )
    assert hidden == 0
    assert max(widths) - min(widths) < 1  # the inspection's is alone in its part


def test_every_chart_says_what_it_shows(browser, page):
    show(browser, page)
    labels = browser.execute_script(
        "return [...document.querySelectorAll('figure svg')].map("
        "s => [s.getAttribute('role'), s.getAttribute('aria-label'), s.getBBox().width])"
    )
    assert len(labels) == 8
    assert all(role == "img" and len(text) > 30 and width > 100 for role, text, width in labels)
    repeated = browser.execute_script(
        "const ids = [...document.querySelectorAll('[id]')].map(e => e.id);"
        "return ids.filter((id, place) => ids.indexOf(id) !== place)"
    )
    assert repeated == []


def test_a_click_sorts_by_number_and_another_turns_it_round(browser, page):
    show(browser, page)
    script = (
        "const table = [...document.querySelectorAll('table')]"
        ".find(t => t.ariaLabel.startsWith('Raw score by game'));"
        "const head = [...table.tHead.rows[0].cells].findIndex(c => c.textContent === 'Human');"
        "table.tHead.rows[0].cells[head].firstElementChild.click();"
        "return [table.tHead.rows[0].cells[head].getAttribute('aria-sort'),"
        "[...table.tBodies[0].rows].map(r => r.cells[0].textContent)]"
    )
    assert browser.execute_script(script) == ["ascending", ["Pong", "Breakout", "Seaquest"]]
    assert browser.execute_script(script) == ["descending", ["Seaquest", "Breakout", "Pong"]]
