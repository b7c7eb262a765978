from __future__ import annotations

import os
import signal
import threading

import pytest

from coordconv_rl.agents.training import Interrupted, StopRequest, stop_on_signals
from coordconv_rl.runs import PARENT_VARIABLE


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_becomes_a_request(name):
    before = signal.getsignal(signal.Signals[name])
    with stop_on_signals() as request:
        assert request.check() is None
        signal.raise_signal(signal.Signals[name])
        assert request.check() == f"{name} was received"
        with pytest.raises(Interrupted, match=name):
            request.raise_if_asked()
    assert signal.getsignal(signal.Signals[name]) == before


def test_a_launcher_that_is_gone_is_noticed(monkeypatch):
    monkeypatch.setenv(PARENT_VARIABLE, str(os.getppid()))
    StopRequest().raise_if_asked()
    monkeypatch.setenv(PARENT_VARIABLE, str(os.getppid() + 1))
    assert StopRequest().check() == "its launcher is gone"


def test_outside_the_main_thread_signals_stay_as_they_are():
    before, seen = signal.getsignal(signal.SIGINT), []

    def work():
        with stop_on_signals() as request:
            seen.append((request.check(), signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(None, before)]
