"""A run that the launcher starts keeps to its threads, whatever the launcher's own settings are."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from waiting import wait_for

from coordconv_rl.comparison.launch.local import Process

PROGRAM = """
import json, os, sys
from pathlib import Path
import cv2, numpy, torch
numpy.ones((512, 512)) @ numpy.ones((512, 512))
torch.ones(512, 512) @ torch.ones(512, 512)
tasks = Path("/proc/self/task")
found = {"torch": torch.get_num_threads(), "OpenCV": cv2.getNumThreads()}
if tasks.is_dir():
    found["all"] = len(list(tasks.iterdir()))
(Path(sys.argv[1]) / "threads.json").write_text(json.dumps(found))
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_a_run_keeps_to_its_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"):
        monkeypatch.setenv(name, "3")
    run = Process(tmp_path, threads, (sys.executable, "-c", PROGRAM))
    wait_for(lambda: run.poll() is not None)
    found = json.loads((tmp_path / "threads.json").read_text())
    assert found["torch"] == found["OpenCV"] == threads
    if threads == 1 and "all" in found:
        assert found["all"] == 1  # no library keeps a pool beside the main thread
