from __future__ import annotations

import signal

from coordconv_rl.errors import BAD_INPUT, DISK_FULL, FAILED, INTERRUPTED, MACHINE_LOST, OK
from coordconv_rl.runs import describe_exit


def test_what_an_end_means(tmp_path):
    assert describe_exit(-signal.SIGKILL) == "killed by SIGKILL (out of memory?)"
    assert describe_exit(-signal.SIGTERM) == "killed by SIGTERM"
    assert describe_exit(-63) == "killed by signal 63"
    assert describe_exit(MACHINE_LOST) == "its machine went away"
    assert describe_exit(DISK_FULL, {"reason": "something"}) == "No space left on device"
    assert describe_exit(INTERRUPTED) == "stopped by a signal from outside"
    assert describe_exit(OK).startswith("ended without its results")
    assert describe_exit(FAILED, {"reason": "Diverged"}) == "Diverged"
    assert describe_exit(FAILED) == "exit code 1 (see its log.txt)"


def test_bad_input_is_said_by_the_log_and_not_by_an_earlier_attempts_record(tmp_path):
    (tmp_path / "log.txt").write_text("going on\nerror: run.json is damaged: restore it\n")
    old = {"reason": "SIGINT was received"}
    assert describe_exit(BAD_INPUT, old, tmp_path) == "run.json is damaged: restore it"
    (tmp_path / "log.txt").unlink()
    assert describe_exit(BAD_INPUT, old, tmp_path) == "SIGINT was received"


def test_the_last_line_about_an_error_counts_and_not_an_earlier_attempts_record(tmp_path):
    log, old = tmp_path / "log.txt", {"reason": "SIGINT was received"}
    lines = "error: earlier", "Traceback", "error: OSError: no GPU", "Exception ignored in: x"
    log.write_text("\n".join(lines))
    assert describe_exit(FAILED, old, tmp_path) == "OSError: no GPU"
    assert describe_exit(137, old, tmp_path) == "SIGINT was received"  # no code of ours
    assert describe_exit(-signal.SIGKILL, None, tmp_path).startswith("killed by SIGKILL")
    log.write_text("100 steps\n")
    assert describe_exit(FAILED, None, tmp_path) == "exit code 1 (see its log.txt)"
