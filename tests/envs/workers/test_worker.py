"""What a worker does with requests that fail, and with answers that cannot be sent."""

from __future__ import annotations

import pickle
import threading
from multiprocessing import Pipe

import numpy as np
import pytest

from coordconv_rl.envs.settings import GameSettings
from coordconv_rl.envs.workers import Group, SharedArrays, size_in_bytes
from coordconv_rl.envs.workers.worker import MARK, NO_ENDS, STEP, _serve, obey


@pytest.fixture(scope="module")
def group():
    made = Group(GameSettings("Pong"), SharedArrays.over(bytearray(size_in_bytes(1, 84)), 1, 84))
    made.reset([0])
    return made


def test_a_failure_is_an_answer_with_its_traceback(group):
    succeeded, (error, text) = obey(group, ("get", ([0], "nonsense")))
    assert not succeeded
    assert isinstance(error, AttributeError)
    assert "nonsense" in text
    assert "Traceback" in text


def test_an_error_that_cannot_be_pickled_keeps_its_message(group):
    class Private(Exception):
        pass

    def fail():
        raise Private("only here")

    group.towers[0].fail = fail
    succeeded, (error, _) = obey(group, ("call", ([0], "fail", (), {})))
    assert not succeeded
    assert type(error) is RuntimeError
    assert str(error) == "only here"


def test_messages_and_their_answers(group):
    ours, theirs = Pipe()

    def serve():
        with pytest.raises(EOFError):
            _serve(group, theirs)

    thread = threading.Thread(target=serve)
    thread.start()
    group.arrays.actions[:] = 0
    ours.send_bytes(STEP)
    assert ours.recv_bytes() == NO_ENDS
    ours.send_bytes(MARK + b"token")
    assert ours.recv_bytes() == MARK + b"token"
    ours.send_bytes(pickle.dumps(("get", ([0], "noop_max"))))
    assert ours.recv() == (True, [30])
    ours.send_bytes(pickle.dumps(("get", ([0], "ale"))))  # an emulator cannot be pickled
    succeeded, (error, _) = ours.recv()
    assert not succeeded
    assert isinstance(error, Exception)
    assert np.array_equal(group.arrays.actions, [0])
    ours.close()
    thread.join(5)
    assert not thread.is_alive()
