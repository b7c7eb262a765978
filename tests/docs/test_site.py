"""The documentation builds without a network, its links lead somewhere, and nothing is left out."""

from __future__ import annotations

import dataclasses
import html
import importlib
import re
import socket
from pathlib import Path

import pytest
from pages import FENCE, PAGES, ROOT

from coordconv_rl import arms, configs, envs
from coordconv_rl.cli.main import COMMANDS
from coordconv_rl.cli.parse import option_names
from coordconv_rl.runs import layout

if not (ROOT / "mkdocs.yml").is_file():
    pytest.skip("not a checkout", allow_module_level=True)
pytest.importorskip("mkdocstrings", reason="the extra docs is not installed")
pytest.importorskip("material", reason="the extra docs is not installed")

from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort

IGNORED = {"sitemap.xml"}


def refused(*words, **options):
    raise AssertionError("building asks the network for something")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build strictly, as `make docs` does, without a network."""
    target = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_MKDOCS_2_WARNING", "1")
        patch.setattr(socket.socket, "connect", refused)
        patch.setattr(socket, "getaddrinfo", refused)
        config = load_config(str(ROOT / "mkdocs.yml"), site_dir=str(target))
        assert config.strict
        build(config)
    return target


def page(site, name):
    return (site / f"{name}.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("room", ["layers", "sb3", "envs"])
def test_every_public_name_is_written_out(site, room):
    """With its arguments, where it is a function: mkdocstrings gives each a heading."""
    module = f"coordconv_rl.{room}"
    ids = set(re.findall(r'<h2 id="([^"]+)"', page(site, f"python-{room}")))
    names = {name for name in importlib.import_module(module).__all__ if name[0] != "_"}
    assert ids == {f"{module}.{name}" for name in names}


def test_the_package_names_lead_to_their_pages(site):
    package = importlib.import_module("coordconv_rl")
    linked = re.findall(r'href="python-\w+\.html#coordconv_rl\.\w+\.(\w+)"', page(site, "python"))
    assert sorted(linked) == sorted(name for name in package.__all__ if name[0] != "_")


def test_every_key_has_a_row(site):
    text = page(site, "keys")
    rooms = {arms.Arm, configs.RunConfig, configs.ExperimentConfig, envs.ImageGame}
    for kind in rooms | {configs.Evaluation, configs.Hyperparameters}:
        names = {field.name for field in dataclasses.fields(kind)} - {"summary"}
        missing = [name for name in names if f"<td><code>{name}</code></td>" not in text]
        assert not missing, (kind, missing)


def test_every_option_of_every_command_has_a_row(site):
    text = html.unescape(page(site, "commands"))
    parts = dict(re.findall(r'<h2 id="([\w-]+)">(.*?)(?=<h2|</article>)', text, re.DOTALL))
    assert list(parts) == list(COMMANDS)
    for name, kind in COMMANDS.items():
        shown = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", parts[name]))
        assert set(option_names(kind)) - {"--help"} <= shown, name


def test_every_file_of_a_run_has_a_row(site):
    text = page(site, "files")
    names = [value for name, value in vars(layout).items() if name.endswith(("_FILE", "_FOLDER"))]
    missing = [name for name in names if f"<code>{name}</code>" not in text]
    assert names
    assert not missing


def test_reading_asks_no_network(site):
    """What a browser loads by itself: scripts, styles, pictures; links may lead out."""
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        loaded = re.findall(r'<(?:script|img|iframe|source)[^>]*\ssrc="?(https?:[^"\s>]+)', text)
        loaded += re.findall(r'<link[^>]*\shref="?(https?:[^"\s>]+)', text)
        assert not loaded, path
    for path in site.rglob("*.css"):
        assert not re.search(r"url\(\W?https?:|@import", path.read_text(encoding="utf-8")), path


@pytest.mark.parametrize("link", ["nowhere.md", "index.md#nowhere", "missing.png", "../NO.md"])
def test_a_link_that_leads_nowhere_fails(tmp_path, link, monkeypatch):
    monkeypatch.setenv("NO_MKDOCS_2_WARNING", "1")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/index.md").write_text(f"# Home\n\n{'!' * link.endswith('png')}[x]({link})\n")
    settings = {"docs_dir": str(tmp_path / "docs"), "site_dir": str(tmp_path / "site")}
    plain = {"nav": None, "hooks": [], "plugins": [], "extra_css": [], "theme": "mkdocs"}
    with pytest.raises(Abort, match="strict mode"):
        build(load_config(str(ROOT / "mkdocs.yml"), **settings, **plain))


def test_the_readme_and_its_kin_link_to_what_is_there():
    wrong = []
    for path in PAGES:
        text = FENCE.sub("", path.read_text(encoding="utf-8"))
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            name, _, anchor = target.partition("#")
            other = path.parent / name if name else path
            if name.startswith(("http:", "https:")):
                continue
            made = anchor.startswith("coordconv_rl.") or not anchor
            if not other.exists() or not (made or anchor in slugs(other)):
                wrong.append(f"{path.relative_to(ROOT)}: {target}")
    elsewhere = {"speed.md", "contributing.md", "changelog.md"}  # pages of the site alone
    wrong = [line for line in wrong if line.rpartition(": ")[2] not in elsewhere]
    assert not wrong, "\n".join(wrong)


def slugs(path: Path) -> set[str]:
    """Return a page's anchors as GitHub makes them."""
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
