"""Devices to run a test on: the processor, a GPU where there is one, and one without float64."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)]


class NoFloat64(TorchDispatchMode):
    """A device without float64, as Apple's GPUs: torch's meta device that refuses it."""

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        output = function(*args, **(kwargs or {}))
        for tensor in torch.utils._pytree.tree_leaves(output):
            if isinstance(tensor, Tensor) and tensor.device.type == "meta":
                assert tensor.dtype != torch.float64, f"{function} makes float64 on the device"
        return output
