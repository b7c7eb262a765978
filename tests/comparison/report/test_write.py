"""The report as files: all there, the same again, nothing executed, bad folders refused."""

from __future__ import annotations

import re

import pytest
from synthetic import SMALL, make_experiment, report

from coordconv_rl.comparison.report import as_csv
from coordconv_rl.comparison.report.as_markdown import escape
from coordconv_rl.comparison.report.write import write_report
from coordconv_rl.errors import InputError


def test_what_a_folder_says_is_text_and_never_markup(tmp_path):
    attack = "<script>alert(1)</script>"
    make_experiment(
        tmp_path, lambda key: "failed" if key[3] == 1 else "done", description=attack, **SMALL
    )
    ledger = tmp_path / "ledger.jsonl"
    ledger.write_text(ledger.read_text().replace("<killed>", "|<img src=x onerror=alert(2)>"))
    run = tmp_path / "ppo/Pong/cnn/seed-2/run.json"
    run.write_text(run.read_text().replace("host-a", attack).replace("2.13.0", attack))
    html = report(tmp_path)
    assert html.count("<script>") == 1
    assert "<img" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    text = (tmp_path / "report" / "report.md").read_text()
    assert "<script" not in text.replace("\\<", "")
    assert escape("a|b\n<c> `d` [e](f)") == r"a\|b \<c\> \`d\` \[e\](f)"


def test_bad_folders_are_refused_in_one_line(tmp_path):
    with pytest.raises(InputError, match="holds no experiment"):
        write_report(tmp_path)
    with pytest.raises(InputError, match="holds no experiment"):
        write_report(tmp_path / "nowhere")
    empty, mixed, broken = tmp_path / "empty", tmp_path / "mixed", tmp_path / "broken"
    make_experiment(empty, lambda key: "waiting")
    with pytest.raises(InputError, match="no run has started"):
        write_report(empty)
    make_experiment(mixed)
    (mixed / "ppo/Pong/cnn/seed-1").rename(mixed / "ppo/Pong/cnn/seed-77")
    with pytest.raises(InputError, match="two experiments are mixed"):
        write_report(mixed)
    make_experiment(broken)
    (broken / "ppo/Pong/cnn/seed-1/episodes.csv").write_text("nonsense\n1\n")
    with pytest.raises(InputError, match=r"episodes\.csv is damaged"):
        write_report(broken)
    assert not any((folder / "report").exists() for folder in (empty, mixed, broken))


def test_the_command_line_reports_and_refuses(cli, tmp_path):
    make_experiment(tmp_path / "small", **SMALL)
    done = cli("report", "small")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "small/report/index.html"
    refused = cli("report", ".")
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: ")
    assert refused.stderr.count("\n") == 1


GAMES = ("Breakout", "Pong", "Seaquest")


FILES = {"index.html", "report.md", *as_csv.CSV_FILES}


FIGURES = {"iqm_ppo", "profile_ppo", "efficiency_ppo", "improvement_ppo"}


def test_writes_page_markdown_tables_and_every_figure_twice(finished):
    found = {path.name for path in (finished / "report").iterdir()}
    figures = FIGURES | {f"learning_curves_ppo_{game}" for game in GAMES}
    figures |= {"inspection_ppo_Breakout"}
    assert found == FILES | {f"{name}.{kind}" for name in figures for kind in ("png", "svg")}
    for name in figures:
        assert (finished / "report" / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_the_same_folder_gives_the_same_report(finished, html):
    def undated(text):
        return re.sub(r"Written [^.]*\.", "", text)

    assert undated(report(finished)) == undated(html)


def test_figures_of_what_is_no_longer_asked_for_are_gone(tmp_path):
    make_experiment(tmp_path, **SMALL)
    write_report(tmp_path)
    target = tmp_path / "report"
    drawn = {path.name for path in target.iterdir()}
    for name in ("iqm_a2c.png", "learning_curves_a2c_Pong.svg", "mine.png"):
        (target / name).write_bytes(b"")
    write_report(tmp_path)
    assert {path.name for path in target.iterdir()} == drawn | {"mine.png"}
