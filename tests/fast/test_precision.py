from __future__ import annotations

import logging

import pytest
import torch

from coordconv_rl import processor
from coordconv_rl.errors import InputError
from coordconv_rl.fast import precision
from coordconv_rl.fast.precision import detect_precision, has_bfloat16


@pytest.fixture
def flags(monkeypatch):
    def pretend(*names: str) -> None:
        has_bfloat16.cache_clear()
        precision._warn_once.cache_clear()
        monkeypatch.setattr(processor, "processor_flags", lambda: frozenset(names))

    yield pretend
    has_bfloat16.cache_clear()


@pytest.mark.parametrize("flag", ["avx512_bf16", "amx_bf16"])
def test_auto_follows_the_processor(flags, flag, monkeypatch):
    flags("sse2", "avx2", flag)
    assert has_bfloat16(torch.device("cpu"))
    for fastest, expected in ((True, "bfloat16"), (False, "float32")):
        monkeypatch.setattr(precision, "FASTEST_IS_DEFAULT", fastest)
        assert detect_precision("auto", "cpu") == expected
    assert detect_precision("float32", "cpu") == "float32"


def test_without_hardware_auto_is_float32_and_bfloat16_warns(flags, caplog):
    flags("sse2", "avx2", "avx512f")
    assert detect_precision("auto", torch.device("cpu")) == "float32"
    assert not caplog.records
    with caplog.at_level(logging.WARNING):
        assert detect_precision("bfloat16", "cpu") == "bfloat16"
        assert detect_precision("bfloat16", "cpu") == "bfloat16"
    assert caplog.text.count("slower") == 1


def test_unknown_precision():
    with pytest.raises(InputError, match=r"unknown precision 'float16'.*float32"):
        detect_precision("float16", "cpu")
