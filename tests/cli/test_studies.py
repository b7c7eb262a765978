"""The command `coordconv-rl study`: killed and called again, refused, and its options."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hostile import SAID, make_hostile
from small_study import STUDY_SCRIPT
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from waiting import LIMIT

from coordconv_rl.cli.studies import RunStudy
from coordconv_rl.errors import InputError
from coordconv_rl.studies import StudyOptions

ROOT = Path(__file__).parents[2]


def start(folder):
    """Start a small study, in a working folder of which its processes may import nothing."""
    script = folder.with_suffix(".py")
    script.write_text(STUDY_SCRIPT)
    command = [sys.executable, str(script), "study", "translation", "--seeds", "1"]
    command += ["--split", "quadrant", "--budget", "0.005", "--threads", "1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    return subprocess.Popen(
        [*command, "--folder", str(folder)],
        env=environment,
        cwd=folder.with_name("work"),
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def stop_at(process, folder, pattern):
    """Wait for a file, stop all processes of the study at once, and return the file's path."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end and process.poll() is None:
        for path in folder.glob(pattern):
            os.killpg(process.pid, signal.SIGSTOP)
            return path
        time.sleep(0.002)
    process.kill()
    raise AssertionError(f"no {pattern} in {folder}: {process.communicate()[0]}")


def test_the_command_killed_and_called_again(tmp_path):
    folder = tmp_path / "study"
    make_hostile(folder.with_name("work"))
    process = start(folder)
    path = stop_at(process, folder, "quadrant/coordconv/*/seed-0/result.json")
    with pytest.raises(InputError, match="in use"):
        RunStudy("translation", StudyOptions(folder=folder)).run()
    os.killpg(process.pid, signal.SIGKILL)
    assert SAID not in process.communicate()[0]
    assert json.loads(path.read_text())["status"] == "running"

    process = start(folder)
    stop_at(process, folder, "quadrant/shuffled/*/seed-0/result.json")
    process.send_signal(signal.SIGINT)
    os.killpg(process.pid, signal.SIGCONT)
    output, _ = process.communicate(timeout=LIMIT)
    assert process.returncode == 130, output
    assert "goes on from here" in output
    done = json.loads(path.read_text())
    assert done["status"] == "done"

    process = start(folder)
    output, _ = process.communicate(timeout=LIMIT)
    assert process.returncode == 0, output
    assert json.loads(path.read_text()) == done, "a finished training was trained again"
    assert "1 of 1" in output
    assert SAID not in output
    check_what_the_command_leaves(folder, output)
    curves = EventAccumulator(str(path.parent))
    curves.Reload()
    assert curves.Scalars("accuracy/test")[-1].value == pytest.approx(done["test"])


def check_what_the_command_leaves(folder, output):
    assert str(folder / "index.html") in output
    page = (folder / "index.html").read_text()
    assert page.count("data:image/png;base64,") == 2
    for model in ("coordconv", "convolution", "shuffled"):
        assert f"<td>{model}</td>" in page
        assert f"| {model} | 1 of 1 |" in (folder / "table.md").read_text()
    for name in ("quadrant-canvas.png", "quadrant-curves.png", "table.md"):
        assert str(folder / name) in output
    events = EventAccumulator(str(folder / "summary"))
    events.Reload()
    assert set(events.Tags()["images"]) == {"quadrant-canvas", "quadrant-curves"}


def test_a_folder_of_another_study_is_refused(tmp_path):
    (tmp_path / "study").write_text("rendering\n")
    with pytest.raises(InputError, match="holds the study rendering"):
        RunStudy("translation", StudyOptions(folder=tmp_path)).run()


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        RunStudy("translation", StudyOptions(folder=tmp_path / "file")).run()


def test_threads_are_one_a_core_unless_given():
    assert StudyOptions(threads=3).jobs == 3
    assert StudyOptions().jobs == len(os.sched_getaffinity(0))


def test_the_command_hands_on_the_number_of_threads(tmp_path):
    with pytest.raises(InputError, match="threads 0"):
        RunStudy("translation", StudyOptions(threads=0, folder=tmp_path / "study")).run()
    assert not (tmp_path / "study").exists()
