"""The Ray backend on a real local cluster of several nodes, one of which is killed in mid-run."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile import make_hostile
from light_worker import HERE, RUNS, WORKER, experiment
from waiting import is_alive, wait_for

from coordconv_rl.comparison.entries import read_ledger
from coordconv_rl.comparison.launch import compare as launch
from coordconv_rl.comparison.launch.compare import LaunchOptions
from coordconv_rl.errors import InputError
from coordconv_rl.processes import HOME, import_path

ray = pytest.importorskip("ray", reason="the extra `ray` is not installed")


@pytest.fixture(scope="module")
def cluster() -> Iterator[object]:
    """A head without cores and two nodes with one core each."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PYTHONPATH", os.pathsep.join([str(HERE), *sys.path]))
        made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
        made.nodes = [made.add_node(num_cpus=1) for _ in range(2)]
        yield made
        ray.shutdown()
        made.shutdown()


def record(folder: Path, key: str) -> int:
    path = folder / "run.json"
    return int(json.loads(path.read_text())[key]) if path.is_file() else 0


def test_neither_workers_nor_their_runs_import_from_the_launchers_folder(
    cluster, tmp_path, monkeypatch
):
    from coordconv_rl.comparison.launch.ray_backend import RayBackend

    here = make_hostile(tmp_path / "work")
    monkeypatch.chdir(here)
    monkeypatch.setattr(sys, "path", [str(here), *sys.path])  # as `python script.py` there has it
    monkeypatch.setattr(sys, "argv", [str(here / "script.py")])
    backend = RayBackend(cluster.address)
    try:
        path = ray.get(ray.remote(max_retries=0)(import_path).remote())
    finally:
        backend.close()
    assert str(here) not in path


def test_a_package_in_the_launchers_folder_is_found_by_workers(monkeypatch):
    from coordconv_rl.comparison.launch.ray_backend import CleanJob

    monkeypatch.chdir(HOME)
    job = CleanJob(_py_driver_sys_path=[HOME])
    assert HOME.encode() in job._serialize()
    monkeypatch.chdir("/")
    job = CleanJob(_py_driver_sys_path=["/", HOME])
    job._serialize()
    assert job._py_driver_sys_path == [HOME]


def test_a_cluster_started_here_has_no_dashboard_whose_children_would_import_from_here(monkeypatch):
    from coordconv_rl.comparison.launch.ray_backend import RayBackend

    asked = {}
    monkeypatch.setattr(ray, "init", asked.update)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    RayBackend(None)
    assert asked["include_dashboard"] is False
    asked.clear()
    monkeypatch.setenv("RAY_ADDRESS", "ray://head:10001")
    RayBackend(None)
    assert not {"include_dashboard", "job_config"} & set(asked)  # Ray's client refuses the second


def test_a_run_whose_node_is_killed_goes_on_elsewhere_from_its_checkpoint(
    cluster, tmp_path, monkeypatch, capsys
):
    from coordconv_rl.comparison.launch import ray_backend

    (tmp_path / "worker.py").write_text(WORKER)
    program = (sys.executable, str(tmp_path / "worker.py"))
    backend = ray_backend.RayBackend
    monkeypatch.setattr(launch, "_backend", lambda o, *_: backend(o.address, program))
    folder = tmp_path / "runs"
    folder.mkdir()
    (folder / "plan.json").write_text(json.dumps({"gate": "lost"}))

    def lose_a_node() -> None:
        wait_for(lambda: all(record(folder / run, "step") >= 30 for run in RUNS[:2]))
        workers = [record(folder / run, "pid") for run in RUNS[:2]]
        try:
            cluster.remove_node(cluster.nodes[1], allow_graceful=False)
            wait_for(lambda: not all(map(is_alive, workers)))
        finally:
            (folder / "lost").touch()  # neither run ends before, however long that takes

    killer = threading.Thread(target=lose_a_node)
    killer.start()
    options = LaunchOptions(backend="ray", address=cluster.address)
    code = launch.run_comparison(experiment(), folder, jobs=None, options=options)
    killer.join()
    assert code == 0
    out = capsys.readouterr().out
    assert "its machine went away" in out
    assert "All 4 runs are done." in out
    entries = read_ledger(folder)
    assert [entries[run].status for run in RUNS] == ["done"] * 4
    attempts = [int((folder / run / "attempts").read_text()) for run in RUNS]
    assert sorted(attempts) == [1, 1, 1, 2]
    lost = RUNS[attempts.index(2)]
    lines = (folder / lost / "episodes.csv").read_text().splitlines()
    assert int(lines[1].split(",")[0]) > 10  # it began at the first attempt's checkpoint


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nowhere", "ray://127.0.0.1:1"])
def test_an_address_where_no_ray_is(tmp_path, address):
    options = LaunchOptions(backend="ray", address=address)
    with pytest.raises(InputError, match="Ray"):
        launch.run_comparison(experiment(), tmp_path / "new", jobs=1, options=options)
    assert not (tmp_path / "new").exists()
