"""Whether torch computes or records."""

from __future__ import annotations

import torch
from torch import nn

from coordconv_rl.fast.interception import intercepted_by, is_exporting

CPU = torch.device("cpu")


class Answering(nn.Module):
    """Adds one where torch exports, two where it compiles or computes."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + (1 if is_exporting() else 2)


def test_exports_are_noticed_and_compiling_is_none():
    x = torch.zeros(1)
    assert not is_exporting()
    assert intercepted_by(CPU) is None
    assert torch.jit.trace(Answering(), x, check_trace=False)(x) == 1
    assert torch.export.export(Answering(), (x,)).module()(x) == 1
    assert torch.compile(Answering(), backend="eager")(x) == 2
    assert Answering()(x) == 2


def test_default_devices_and_profilers_are_harmless():
    with torch.device("cpu"):
        assert intercepted_by(CPU) is None
    with torch.profiler.profile():
        assert intercepted_by(CPU) is None
