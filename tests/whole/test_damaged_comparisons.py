"""Each file of a comparison, damaged in each way, met by what reads whole comparisons.

A command does its work, or says one line; no file of the comparison ever changes, nothing outside
of it is touched, and a pipe holds nobody up. The folder's runs are made up; `test_damage` has real
ones, and the commands about one agent.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from damaged import OTHERS, RUN, TEXTS, draw, heal, hurt, make_whole, met, named, whole_of

from coordconv_rl.comparison import export_comparison, plan
from coordconv_rl.comparison.launch import print_status
from coordconv_rl.comparison.launch.growth import plan_growth
from coordconv_rl.comparison.report import write_report
from coordconv_rl.comparison.results import read_results
from coordconv_rl.errors import InputError

FILES = ("experiment.yaml", "ledger.jsonl", *(f"{RUN}/{name}" for name in (
    "run.json", "config.yaml", "episodes.csv", "evaluation.json", "inspection.json",
)))  # fmt: skip


TAKEN = {"inspection.json": {"gone"}}
"""What nothing has to say a word of: what is not there was not done."""


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Path:
    """A comparison of four runs, all done and inspected."""
    folder = tmp_path_factory.mktemp("sound") / "made-up"
    make_whole(folder)
    return folder


@pytest.mark.parametrize("name", FILES)
def test_what_reads_a_damaged_comparison_refuses_it_or_works(sound, tmp_path, capsys, name):
    folder, outside, copy = tmp_path / "made-up", tmp_path / "outside", tmp_path / "copy"
    shutil.copytree(sound, folder)
    experiment = plan.read_experiment(sound)
    whole, taken = (sound / name).read_bytes(), set()
    for how in (*TEXTS, *OTHERS):
        hurt(folder, name, how, outside)
        if (
            (folder / name).is_file()
            and (folder / name).read_bytes() == whole
            and how != "link out"
        ):
            continue  # it has no version, digest or steps
        before = whole_of(tmp_path)
        said = {
            "status": met(lambda: print_status(folder)),
            "export": met(lambda: export_comparison(folder, copy)),
            "compare": met(lambda: plan_growth(folder, experiment)),
        }
        if copy.exists():
            assert said["export"] is None
            assert met(lambda: read_results(copy)) is None
            shutil.rmtree(copy)
        assert whole_of(tmp_path) == before, how
        if how in ("cut", "1e999", "swapped", "pipe"):
            said["tensorboard"] = met(lambda: draw(folder))
        said["results"] = met(lambda: named(folder))
        texts = [text for text in said.values() if text is not None]
        assert all(name in text or "ppo/Pong" in text for text in texts), texts
        assert not any(".part" in text for text in texts), "that is gone: nobody can restore it"
        if not texts:
            taken.add(how)
        heal(folder, name, sound, outside)
    capsys.readouterr()
    assert taken == TAKEN.get(Path(name).name, set())


@pytest.fixture(scope="module")
def published(sound, tmp_path_factory) -> Path:
    """The comparison's export, in which the episodes are packed."""
    folder = tmp_path_factory.mktemp("published") / "export"
    export_comparison(sound, folder)
    return folder


PACKED_EPISODES = f"{RUN}/episodes.csv.bz2"


def test_a_comparison_of_which_no_run_is_whole_says_so(published, tmp_path):
    folder = tmp_path / "export"
    shutil.copytree(published, folder)
    for path in folder.rglob("episodes.csv.bz2"):
        path.unlink()
    with pytest.raises(InputError, match=r"no run to report on; 4 of 4 are not whole, .* is gone"):
        write_report(folder)


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("cut", "it is cut"),
        ("empty", "it is cut"),
        ("noise", "it cannot be unpacked"),
        ("swapped", "episodes.csv "),
        ("folder", "it is no regular file"),
        ("pipe", "it is no regular file"),
        ("link out", "it is a link"),
        ("gone", "episodes.csv is gone"),
    ],
)
def test_what_reads_an_export_names_its_damaged_episodes(published, tmp_path, capsys, how, why):
    folder, copy = tmp_path / "export", tmp_path / "copy"
    shutil.copytree(published, folder)
    hurt(folder, PACKED_EPISODES, how, tmp_path / "outside")
    before = whole_of(tmp_path)
    assert met(lambda: print_status(folder)) is None  # it reads the ledger alone
    assert met(lambda: plan_growth(folder, plan.read_experiment(published))) is None
    exported = met(lambda: export_comparison(folder, copy))
    if exported is None:
        assert how in ("gone", "swapped")
        assert [run.status for run in read_results(copy).runs].count("done") == 3
        shutil.rmtree(copy)
    else:
        assert str(folder / PACKED_EPISODES) in exported
    assert whole_of(tmp_path) == before
    results = met(lambda: named(folder)) or ""
    assert f"{RUN} not whole: " in results
    assert why in results
    drawn = met(lambda: draw(folder))
    assert (drawn is None) == (exported is None)
    assert drawn is None or str(folder / PACKED_EPISODES) in drawn
    if how == "cut":  # one whole page
        assert "1 not whole" in write_report(folder).read_text()
    elif how == "link out":
        assert "is a link" in (met(lambda: write_report(folder)) or "")
    capsys.readouterr()
