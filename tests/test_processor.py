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


@pytest.mark.parametrize("name", ["ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"])
@pytest.mark.parametrize(
    ("limit", "left"),
    [
        ("AVX2", set()),
        ("avx512_core_vnni", set()),
        ("AVX512_CORE_BF16", {"avx512_bf16"}),
        ("AVX10_1_512_AMX", {"avx512_bf16", "amx_bf16"}),
        ("ALL", {"avx512_bf16", "amx_bf16"}),
        ("", {"avx512_bf16", "amx_bf16"}),
    ],
)
def test_what_onednn_is_kept_from_is_not_there(monkeypatch, name, limit, left):
    listed = frozenset({"sse2", "avx512_bf16", "amx_bf16"})
    monkeypatch.setattr(processor, "listed_flags", lambda: listed)
    for other in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, limit)
    assert processor.processor_flags() == {"sse2", *left}
    assert processor.has_bfloat16_instructions() is bool(left)
