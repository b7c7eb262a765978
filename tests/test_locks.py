"""Locks hold between processes, name their owner, and end with whoever holds them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap

import pytest

from coordconv_rl import locks, processes

HOLDER = (
    "from pathlib import Path; import time; from coordconv_rl import locks; "
    "locks.acquire(Path(sys.argv[1]), 'process 7'); print('held', flush=True); time.sleep(60)"
)


def test_whoever_is_refused_learns_the_owners_name(tmp_path):
    path = tmp_path / "lock"
    lock = locks.acquire(path, "a rather long name of the first owner")
    for _ in range(2):  # being refused does not wipe the name
        with pytest.raises(locks.LockedError, match=r"^a rather long name of the first owner$"):
            locks.acquire(path, "second")
    os.close(lock)
    os.close(locks.acquire(path, "second"))
    assert path.read_text() == "second"


def test_a_killed_process_frees_its_lock(tmp_path):
    path = tmp_path / "lock"
    command = processes.python_command(HOLDER, str(path))
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(locks.LockedError, match="process 7"):
            locks.acquire(path, "me")
        process.send_signal(signal.SIGKILL)
    os.close(locks.acquire(path, "me"))


def test_a_child_that_inherits_the_descriptor_shares_the_lock(tmp_path):
    path = tmp_path / "lock"
    lock = locks.acquire(path, "its parent")
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    child = processes.start_group(sleep, share=(lock,))
    os.close(lock)
    with pytest.raises(locks.LockedError, match="its parent"):
        locks.acquire(path, "me")
    processes.kill_group(child)
    child.wait()
    os.close(locks.acquire(path, "me"))


def test_a_folder_that_is_missing_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        locks.acquire(tmp_path / "none" / "lock", "me")


def test_without_fcntl_a_byte_behind_the_name_is_locked(tmp_path):
    """As on Windows: with a stand-in for its `msvcrt` that locks bytes as that does."""
    (tmp_path / "msvcrt.py").write_text(
        textwrap.dedent("""
        import fcntl, os
        LK_NBLCK = 2
        def locking(descriptor, mode, count):
            assert mode == LK_NBLCK and os.lseek(descriptor, 0, os.SEEK_CUR) > 4096
            try:
                fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, count)
            except BlockingIOError:
                raise PermissionError(13, "Permission denied")
        """)
    )
    (tmp_path / "windows.py").write_text(
        textwrap.dedent(f"""
        import os, pathlib, sys
        del sys.path[0]
        import coordconv_rl, subprocess  # both before they see the stand-in
        sys.path.append({str(tmp_path)!r})
        sys.platform = "win32"
        from coordconv_rl import locks
        path = pathlib.Path(sys.argv[1])
        try:
            lock = locks.acquire(path, sys.argv[2])
        except locks.LockedError as error:
            sys.exit(f"refused by {{error}}")
        assert "fcntl" not in vars(locks)
        if len(sys.argv) > 3:
            sys.platform = "linux"
            subprocess.run([sys.executable, __file__, str(path), "second"])
            os.close(lock)
            subprocess.run([sys.executable, __file__, str(path), "third"])
        """)
    )
    command = [sys.executable, str(tmp_path / "windows.py"), str(tmp_path / "lock"), "first", "+"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "refused by first"
    assert (tmp_path / "lock").read_text() == "third"
