"""TensorBoard served from a comparison's folder."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from waiting import LIMIT, wait_for

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


def get(url: str) -> object:
    with urllib.request.urlopen(url, timeout=LIMIT) as answer:
        return json.load(answer)


def test_tensorboard_serves_the_comparison_on_the_loopback_address_only(folder):
    with Aggregates(folder) as aggregates:
        aggregates.update(["ppo/Pong/cnn/seed-5"])
        go_on(folder / "ppo/Pong/cnn/seed-5")
        aggregates.update((), now=True)
    command = [sys.executable, "-m", "coordconv_rl", "tensorboard", str(folder), "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        url = next(w for line in server.stdout for w in line.split() if w.startswith("http:"))
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
    finally:
        server.terminate()
        assert server.communicate(timeout=LIMIT) == ("", "")  # the address alone, and no log
    assert server.returncode == 0
