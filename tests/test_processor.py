from __future__ import annotations

import pytest

from coordconv_rl import processor


def test_flags_are_read_where_the_system_lists_them():
    flags = processor.processor_flags()
    assert flags == frozenset() or flags & {"fpu", "fp", "sse2"}


@pytest.mark.parametrize(
    ("flags", "expected"),
    [({"sse2", "avx512_bf16"}, True), ({"amx_bf16"}, True), ({"avx2", "avx512f"}, False)],
)
def test_bfloat16_needs_an_instruction_of_its_own(monkeypatch, flags, expected):
    monkeypatch.setattr(processor, "processor_flags", lambda: frozenset(flags))
    assert processor.has_bfloat16_instructions() is expected
