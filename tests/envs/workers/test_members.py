"""Answers that nobody took are thrown away, wherever the reader was interrupted."""

from __future__ import annotations

import os
import pickle
import subprocess
import threading
import time
from multiprocessing import Pipe

import pytest

from coordconv_rl.envs.workers import worker
from coordconv_rl.envs.workers.members import WorkerProcess


@pytest.fixture
def member():
    """A member whose other end answers each request with the request itself, pickled twice."""
    ours, theirs = Pipe()

    def answer():
        try:
            while True:
                message = theirs.recv_bytes()
                theirs.send_bytes(
                    message
                    if message.startswith(worker.MARK) or message == worker.STEP
                    else pickle.dumps((True, pickle.loads(message)))
                )
        except (EOFError, OSError):
            return

    thread = threading.Thread(target=answer)
    thread.start()
    with subprocess.Popen(["sleep", "0"]) as process:
        yield WorkerProcess("worker 1", process, ours, 2, 4, owes=False)
    ours.close()
    thread.join(5)


BIG = ("save", ("x" * 200_000,))  # more than a pipe holds


@pytest.mark.parametrize("taken", [0, 3, 4, 100])
@pytest.mark.parametrize("request_", [None, ("get", (1,)), BIG])
def test_the_next_answer_is_the_next_requests(member, taken, request_):
    member.send(request_)
    if taken and not (request_ is None and taken > 4):
        time.sleep(0.02)
        os.read(member.pipe.fileno(), taken)  # an interrupted reader may have come this far
    assert member.owes
    member.send(("reset", (7,)))
    assert member.receive() == (True, ("reset", (7,)))
    assert not member.owes


def test_nothing_is_asked_where_nothing_is_owed(member):
    member.send(None)
    assert member.receive() == (True, {})
    member.settle()
    member.pipe.close()
    member.settle()
    with pytest.raises(RuntimeError, match="closed"):
        member.send(None)


def test_a_request_that_was_never_sent(member):
    """Interrupted between the mark and the sending."""
    member.owes = True
    member.settle()
    member.send(("get", (2,)))
    assert member.receive() == (True, ("get", (2,)))
