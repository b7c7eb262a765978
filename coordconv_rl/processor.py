"""What this machine's processor computes in hardware, by the flags that Linux lists; no torch."""

from __future__ import annotations

from functools import cache
from pathlib import Path

BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})


@cache
def processor_flags() -> frozenset[str]:
    """Return the processor's feature flags; none where the system does not list them (no Linux)."""
    listing = Path("/proc/cpuinfo")
    if not listing.is_file():
        return frozenset()
    for line in listing.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("flags"):
            return frozenset(line.partition(":")[2].split())
    return frozenset()


def has_bfloat16_instructions() -> bool:
    """Return whether the processor multiplies bfloat16 itself: elsewhere float32 is faster."""
    return bool(BFLOAT16_FLAGS & processor_flags())
