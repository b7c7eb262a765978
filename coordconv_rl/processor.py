"""What this machine's processor computes in hardware, by what Linux lists of it; no torch."""

from __future__ import annotations

import os
import platform
from functools import cache
from pathlib import Path

BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})

# Values of `ONEDNN_MAX_CPU_ISA` that keep oneDNN, which multiplies for torch, from both of these or
# from AMX: it then emulates bfloat16, far slower than it multiplies float32. From its page "CPU
# Dispatcher Control"; it reads letters of either case and ignores what it does not know.
_LIMITS = {
    **dict.fromkeys(
        ("sse41", "avx", "avx2", "avx2_vnni", "avx2_vnni_2", "avx512_core", "avx512_core_vnni"),
        BFLOAT16_FLAGS,
    ),
    **dict.fromkeys(
        ("avx512_core_bf16", "avx512_core_fp16", "avx10_1_512"), frozenset({"amx_bf16"})
    ),
}


def processor_flags() -> frozenset[str]:
    """Return the processor's feature flags, without those that oneDNN is kept from.

    There are none where the system does not list them (no Linux).
    """
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA") or os.environ.get("DNNL_MAX_CPU_ISA", "")
    return listed_flags() - _LIMITS.get(limit.lower(), frozenset())


@cache
def listed_flags() -> frozenset[str]:
    """Return the flags that Linux lists of the processor."""
    return frozenset(_listed("flags").split())


@cache
def is_amd() -> bool:
    """Return whether AMD made the processor, as far as the system says who did."""
    return "AuthenticAMD" in (_listed("vendor_id") or platform.processor())


def _listed(name: str) -> str:
    """Return what Linux lists of the first core under a name; nothing where it lists none."""
    listing = Path("/proc/cpuinfo")
    if not listing.is_file():
        return ""
    for line in listing.read_text(encoding="utf-8", errors="replace").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


def has_bfloat16_instructions() -> bool:
    """Return whether the processor multiplies bfloat16 itself: elsewhere float32 is faster."""
    return bool(BFLOAT16_FLAGS & processor_flags())
