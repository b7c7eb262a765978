"""Child processes see this process's path, never the working folder, and end as a group."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hostile import SAID, make_hostile
from waiting import LIMIT, is_alive, wait_for

from coordconv_rl import processes


@pytest.fixture
def hostile(tmp_path, monkeypatch):
    """Work in such a folder."""
    folder = make_hostile(tmp_path / "work")
    monkeypatch.chdir(folder)
    return folder


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def test_the_working_folder_is_left_out_however_it_is_spelled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lib").mkdir()
    entries = ["", ".", str(tmp_path), Path(tmp_path), os.fsencode(tmp_path), "lib", "/else"]
    monkeypatch.setattr(sys, "path", entries)
    assert processes.import_path() == ["lib", "/else", processes.HOME]


def test_a_package_in_the_working_folder_comes_last(monkeypatch):
    monkeypatch.chdir(processes.HOME)
    monkeypatch.setattr(sys, "path", ["", "/first"])
    assert processes.import_path() == ["/first", processes.HOME]


def test_pythons_own_folders_stay_where_one_works_in_them(monkeypatch):
    library = os.path.dirname(os.__file__)
    monkeypatch.chdir(library)
    monkeypatch.setattr(sys, "path", ["", library])
    assert processes.import_path()[0] in ("", library)


def test_a_working_folder_that_is_gone(tmp_path):
    code = (
        "import os, sys, tempfile; from coordconv_rl import processes; "
        "folder = tempfile.mkdtemp(); os.chdir(folder); os.rmdir(folder); sys.path.insert(0, ''); "
        "print('' in processes.import_path(), processes.HOME in processes.import_path())"
    )
    assert run([sys.executable, "-c", code], cwd=tmp_path).stdout.split() == ["False", "True"]


@pytest.mark.usefixtures("hostile")
def test_commands_import_nothing_from_the_working_folder(monkeypatch):
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    done = run(processes.package_command("games", "--suite", "atari-5"))
    assert done.returncode == 0, done.stderr
    assert "Phoenix" in done.stdout
    code = "import json, queue, inspect, numpy, yaml; print(sys.argv[1:], json.__file__)"
    done = run(processes.python_command(code, "a b", "c"))
    assert done.stdout.startswith("['a b', 'c'] "), done.stderr


@pytest.mark.usefixtures("hostile")
def test_a_module_that_a_shell_runs_imports_nothing_from_there_either():
    command = f"{processes.shell_python()} -u -m json.tool --compact -"
    done = run(command, shell=True, input="[1, 2]")
    assert done.stdout == "[1,2]\n", done.stderr


SPAWNS = """
import multiprocessing, os, sys
from concurrent.futures import ProcessPoolExecutor
from coordconv_rl.processes import clean_spawning

if __name__ == "__main__":
    sys.path.insert(0, "")
    os.chdir(sys.argv[1])
    before = sys.path[:]
    with clean_spawning():
        context = multiprocessing.get_context("spawn")
        event = context.Event()  # starts multiprocessing's resource tracker, a process too
        with ProcessPoolExecutor(1, context, initializer=id, initargs=(event,)) as executor:
            print(executor.submit(len, "four").result())
    assert sys.path == before
"""


def test_what_multiprocessing_spawns_ignores_it_too(hostile, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SPAWNS)
    done = run([sys.executable, str(script), str(hostile)], cwd=tmp_path, timeout=LIMIT)
    assert done.stdout.split() == ["4"], done.stderr
    assert SAID not in done.stderr


FAMILY = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
try:
    print(child.pid, flush=True)
    time.sleep(600)
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_a_group_is_interrupted_alone_and_killed_whole():
    process = processes.start_group([sys.executable, "-c", FAMILY], stdout=subprocess.PIPE)
    child = int(process.stdout.readline())
    assert os.getpgid(process.pid) == process.pid != os.getpgid(0)
    processes.interrupt(process)
    assert process.wait(LIMIT) == 130
    processes.interrupt(process)  # it has ended: nothing happens
    assert is_alive(child)
    processes.kill_group(process)
    wait_for(lambda: not is_alive(child))
    processes.kill_group(process)
    process.stdout.close()


def test_a_dead_parent_is_no_parent():
    assert processes.has_parent(os.getppid())
    assert not processes.has_parent(os.getpid())
    inner = (
        f"import os, sys, time; sys.path[:] = {processes.import_path()!r}; "
        "from coordconv_rl.processes import has_parent; parent = int(sys.argv[1]); "
        "print(has_parent(parent), flush=True); sys.stdin.readline(); "
        "print(has_parent(parent), flush=True)"
    )
    outer = (
        "import os, subprocess, sys, time; "
        "subprocess.Popen([sys.executable, '-c', sys.argv[1], str(os.getpid())]); time.sleep(600)"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", outer, inner], text=True, **pipes) as parent:
        assert parent.stdout.readline() == "True\n"
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        parent.stdin.write("\n")
        parent.stdin.flush()
        assert parent.stdout.readline() == "False\n"


def test_cores_are_those_that_this_process_may_use(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1, 5, 7}, raising=False)
    assert processes.available_cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert processes.available_cores() == 1
