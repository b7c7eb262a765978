"""Signals that ask to stop reach a handler inside a `with` block, and nothing else afterwards."""

from __future__ import annotations

import signal

import pytest

from coordconv_rl.signals import handle_stop_signals, stop_signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_are_collected_and_handlers_put_back(number):
    before = signal.getsignal(number)
    with stop_signals() as signals:
        signal.raise_signal(number)
        signal.raise_signal(number)
        assert signals == [number, number]
    assert signal.getsignal(number) is before


def test_nohup_is_respected():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_signals() as signals:
            signal.raise_signal(signal.SIGHUP)
        assert signals == []
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_where_there_is_no_sighup(monkeypatch):
    monkeypatch.delattr(signal, "SIGHUP")
    monkeypatch.setattr(signal, "SIGBREAK", signal.SIGUSR1, raising=False)
    with stop_signals() as signals:
        signal.raise_signal(signal.SIGUSR1)
    assert signals == [signal.SIGUSR1]
    assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL


def test_a_handler_that_raises_leaves_the_block():
    def refuse(number, frame):
        raise KeyError(number)

    with pytest.raises(KeyError, match="15"), handle_stop_signals(refuse):
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
