"""Detection and generation from the command line, at a size of seconds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = """
import dataclasses
import sys
from coordconv_rl.studies.tasks import detection, generation

detection.SMALL = detection.DetectionSize(8, 4, 4, epochs=1, batch=4)
small = generation.SIZES["32x32"]._replace(train=16, validation=8, test=8)
generation.SIZES["32x32"] = small
few = dataclasses.replace(generation.SETTINGS["32x32"], epochs=1, batch=8)
generation.SETTINGS["32x32"] = few
if __name__ == "__main__":
    from coordconv_rl.cli.main import main

    sys.exit(main(sys.argv[1:]))
"""
PICTURES = {
    "detection": {"digits-boxes.png", "digits-curves.png"},
    "generation": {
        f"32x32-{kind}.png" for kind in ("samples", "centres", "interpolations", "curves")
    },
}
TRAININGS = {"detection": 3 * 2 + 3, "generation": 3}  # models by settings to choose from; seeds


@pytest.mark.parametrize("name", PICTURES)
def test_the_command_trains_all_models_and_leaves_a_page(tmp_path, name):
    pytest.importorskip("sklearn")
    script, folder = tmp_path / "study.py", tmp_path / "study"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), "study", name, "--seeds", "1", "--threads", "1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    done = subprocess.run(
        [*command, "--folder", str(folder)],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    results = [json.loads(path.read_text()) for path in folder.glob("*/*/*/*/result.json")]
    assert len(results) == TRAININGS[name]
    assert {result["status"] for result in results} == {"done"}
    assert all(result["measures"] for result in results)
    assert {path.name for path in folder.glob("*.png")} == PICTURES[name]
    page = (folder / "index.html").read_text()
    assert page.count("data:image/png") == len(PICTURES[name])
    assert "Further measures" in done.stdout
    assert "shuffled" in (folder / "table.md").read_text()
    is_late = name == "generation"  # adversaries never stand still
    for file in ("table.md", "index.html"):
        assert ("means over the last 4 evaluations" in (folder / file).read_text()) == is_late
