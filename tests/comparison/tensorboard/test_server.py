"""TensorBoard served from a comparison's folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from damaged import whole_of
from waiting import LIMIT, wait_for

from coordconv_rl.comparison.export import export_comparison
from coordconv_rl.comparison.tensorboard import Aggregates, serve
from coordconv_rl.errors import InputError


def go_on(path: Path) -> None:
    """Let a run of the fixture that stands at step 500 end a game at step 600."""
    with (path / "episodes.csv").open("a") as file:
        file.write("600,1200,400,1\n")
    record = json.loads((path / "run.json").read_text())
    (path / "run.json").write_text(json.dumps(record | {"step": 600}))


def test_what_cannot_be_served_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no folder"):
        serve(tmp_path / "missing")
    with pytest.raises(InputError, match="port 99999 cannot be used"):
        serve(tmp_path, 99999)


@contextmanager
def served(folder: Path, said: str = "", **environment: str) -> Iterator[str]:
    """Serve a folder and yield the address; at the end nothing more than `said` was said."""
    command = [sys.executable, "-m", "coordconv_rl", "tensorboard", str(folder), "--port", "0"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    server = subprocess.Popen(command, env=os.environ | environment, **pipes)
    try:
        yield next(w for line in server.stdout for w in line.split() if w.startswith("http:"))
    finally:
        server.terminate()
        assert server.communicate(timeout=LIMIT) == ("", said)  # the address alone, and no log
    assert server.returncode == 0


def get(url: str) -> object:
    with urllib.request.urlopen(url, timeout=LIMIT) as answer:
        return json.load(answer)


def test_tensorboard_serves_the_comparison_on_the_loopback_address_only(folder):
    with Aggregates(folder) as aggregates:
        aggregates.update(["ppo/Pong/cnn/seed-5"])
        go_on(folder / "ppo/Pong/cnn/seed-5")
        aggregates.update((), now=True)
    with served(folder) as url:
        assert url.startswith("http://127.0.0.1:")
        wait_for(lambda: "by-arm/coordconv" in get(f"{url}data/runs"))
        tags = get(f"{url}data/plugin/scalars/tags")
        assert "comparison_ppo/Pong" in tags["by-arm/cnn"]
        query = "run=by-arm%2Fcnn&tag=comparison_ppo%2FPong"
        points = get(f"{url}data/plugin/scalars/scalars?{query}")
        values = {step: value for _, step, value in points}
        assert (values[200], values[600], values[1000]) == (300.0, 900.0, 1000.0)
        assert len(points) == len(values)  # corrected points have replaced the first ones
        layout = get(f"{url}data/plugin/custom_scalars/layout")
        assert layout["category"][0]["chart"][0]["title"] == "Pong"
        request = urllib.request.Request(
            f"{url}data/plugin/hparams/session_groups",
            json.dumps(
                {
                    "startIndex": 0,
                    "sliceSize": 10,
                    "allowedStatuses": ["STATUS_UNKNOWN", "STATUS_RUNNING", "STATUS_SUCCESS"],
                    "colParams": [],
                }
            ).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=LIMIT) as answer:
            rows = json.load(answer)["sessionGroups"]
        assert sorted(row["hparams"]["arm"] for row in rows) == ["cnn", "coordconv"]
        assert {row["metricValues"][0]["value"] for row in rows} == {1000.0}


def test_an_export_is_shown_as_its_comparison_is_and_nothing_is_written_to_it(
    folder, tmp_path_factory
):
    out = export_comparison(folder, tmp_path_factory.mktemp("exports") / "out").folder
    path = out / "ppo/Pong/coordconv/seed-3/episodes.csv.bz2"
    path.write_bytes(path.read_bytes()[:-20])
    before, made = whole_of(out), tmp_path_factory.mktemp("made")
    why = "is damaged (it is cut, or more than one): restore it, or move its run's folder away"
    warning = f"warning: {path} {why}; the other runs are shown\n"
    with served(out, warning, TMPDIR=str(made)) as url:
        wait_for(lambda: "by-arm/coordconv" in get(f"{url}data/runs"))
        query = "run=by-arm%2Fcnn&tag=comparison_ppo%2FPong"
        points = get(f"{url}data/plugin/scalars/scalars?{query}")
        values = {step: value for _, step, value in points}
        assert (values[200], values[1000]) == (300.0, 1000.0)
    assert whole_of(out) == before
    assert list(made.iterdir()) == []
