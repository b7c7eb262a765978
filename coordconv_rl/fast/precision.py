"""Which arithmetic the network computes in: float32, or bfloat16 where the processor has it."""

from __future__ import annotations

import logging
from functools import cache
from typing import Literal

import torch

from coordconv_rl.errors import unknown
from coordconv_rl.processor import has_bfloat16_instructions, processor_flags

Resolved = Literal["float32", "bfloat16"]

FASTEST_IS_DEFAULT = True
"""Whether "auto" means bfloat16 where the hardware has it; else "auto" is float32.

No difference is shown by PPO on two games, five seeds each: `python -m benchmarks.precision`.
"""

_log = logging.getLogger(__name__)


def detect_precision(requested: str, device: torch.device | str) -> Resolved:
    """Resolve "auto" for a device.

    bfloat16 pays only where the hardware multiplies it: processors with AVX512-BF16 or AMX, and
    GPUs. Asked for by name it runs everywhere, with one warning where it will be slow.

    Args:
        requested: "auto", "float32" or "bfloat16".
        device: Where the network lives.

    Raises:
        InputError: If the requested precision is none of the three.
    """
    check_precision(requested)
    if requested == "float32":
        return "float32"
    able = has_bfloat16(torch.device(device))
    if requested == "bfloat16":
        if not able:
            _warn_once(str(device))
        return "bfloat16"
    return "bfloat16" if able and FASTEST_IS_DEFAULT else "float32"


def check_precision(requested: str) -> None:
    """Raise `InputError` unless the precision is one of the three."""
    choices = ("auto", "float32", "bfloat16")
    if requested not in choices:
        raise unknown("precision", requested, choices)


@cache
def has_bfloat16(device: torch.device) -> bool:
    """Tell whether a device multiplies bfloat16 in hardware."""
    if device.type == "cuda":
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and has_bfloat16_instructions()


@cache
def has_matrix_unit() -> bool:
    """Tell whether this processor multiplies whole tiles of bfloat16 (AMX)."""
    return "amx_bf16" in processor_flags()


@cache
def _warn_once(device: str) -> None:
    _log.warning("bfloat16 without hardware for it on %s: slower than float32", device)
