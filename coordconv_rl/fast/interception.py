"""Whether torch computes now, or records, transforms or watches what would be computed.

The fast path calls kernels directly and keeps results. So whoever traces, exports, compiles,
transforms or intercepts operations must see the plain modules instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils._device import DeviceContext  # of torch.set_default_device: harmless

RECORDS = "torch records a graph (compile, export or trace)"


def intercepted_by(device: torch.device) -> str | None:
    """Return what stands between a call and its computation now, or None.

    Args:
        device: Where the computation would be; autocast differs by device.
    """
    if torch.compiler.is_compiling():  # before all that torch.compile cannot follow
        return RECORDS
    for what, is_so in _CHECKS.items():
        if is_so(device):
            return what
    return None


def is_exporting() -> bool:
    """Tell whether torch records a graph for use elsewhere: `torch.export`, ONNX, `jit.trace`."""
    return (
        torch.compiler.is_exporting()
        or torch.onnx.is_in_onnx_export()
        or bool(torch.jit.is_tracing())  # type: ignore[attr-defined, no-untyped-call]
    )


def _calls() -> tuple[object, ...]:
    return nn.Module.__call__, nn.Module._call_impl


def _functions() -> tuple[object, ...]:
    """Return what the known modules call; counters of operations put their own there."""
    return F.conv2d, F.linear, F.relu, F.adaptive_avg_pool2d


def are_original(functions: Iterable[object], home: ModuleType = torch) -> bool:
    """Tell whether functions are a library's own, and none was put there before this import.

    Those written in Python by the file of their code, those in C by the module that they name.

    Args:
        functions: The functions.
        home: The library; what this package defines counts as well.
    """
    return all(_is_original(function, home) for function in functions)


def _is_original(function: object, home: ModuleType) -> bool:
    code = getattr(function, "__code__", None)
    if code is None:
        return str(getattr(function, "__module__", "")).partition(".")[0] == home.__name__
    folders = Path(str(home.__file__)).parent, Path(__file__).parents[1]
    return any(folder in Path(code.co_filename).parents for folder in folders)


_OWN_CALLS = _calls() if are_original(_calls()) else None
_OWN_FUNCTIONS = _functions() if are_original(_functions()) else None


def _has_function_mode() -> bool:
    if not torch._C._len_torch_function_stack():
        return False
    modes = torch.overrides._get_current_function_mode_stack()  # type: ignore[no-untyped-call]
    return any(type(mode) is not DeviceContext for mode in modes)


def _is_autocast(device: torch.device) -> bool:
    kind = device.type
    return torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)


def _is_captured(device: torch.device) -> bool:
    return device.type == "cuda" and torch.cuda.is_current_stream_capturing()


_CHECKS: dict[str, Callable[[torch.device], bool]] = {
    RECORDS: lambda _: is_exporting(),
    "calls of modules are intercepted (nn.Module was changed)": lambda _: _calls() != _OWN_CALLS,
    "functions are intercepted (torch.nn.functional was changed)": lambda _: (
        _functions() != _OWN_FUNCTIONS
    ),
    "there are hooks on all modules": lambda _: nn.modules.module._has_any_global_hook(),  # type: ignore[no-untyped-call]
    "operations are intercepted (a dispatch mode)": lambda _: (
        torch._C._len_torch_dispatch_stack() > 0
    ),
    "operations are intercepted (a function mode)": lambda _: _has_function_mode(),
    "operations are transformed (torch.func)": lambda _: (
        torch._C._are_functorch_transforms_active()
    ),
    "derivatives are taken in forward mode": lambda _: (
        torch.autograd.forward_ad._current_level >= 0
    ),
    "the caller's autocast decides on precision": _is_autocast,
    "a CUDA graph is captured": _is_captured,
}
