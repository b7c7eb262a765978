"""A linear layer for few rows with its weight in oneDNN's own order, made once for many calls.

A weight as torch keeps it is put in order in every product, which for few rows takes as long as
the product. The results are the same.
"""

from __future__ import annotations

import torch
from torch import Tensor

from coordconv_rl.fast.products import gains_by_onednn, onednn_operators


def is_packable(weight: Tensor) -> bool:
    """Tell whether it works and gains here: in bfloat16, or where float32 gains by oneDNN."""
    if weight.dtype == torch.bfloat16 and weight.device.type == "cpu":
        return onednn_operators(weight.dtype) is not None
    return gains_by_onednn(weight)


def pack(weight: Tensor) -> Tensor:
    """Return a weight (outputs, inputs) in oneDNN's order, for `packed_linear_relu` alone."""
    packed: Tensor = onednn_operators(weight.dtype)._reorder_linear_weight(weight, None)
    return packed


def packed_linear_relu(x: Tensor, packed: Tensor, bias: Tensor) -> Tensor:
    """Compute relu(x weight^T + bias) for x of shape (N, inputs)."""
    operators = onednn_operators(x.dtype)
    result: Tensor = operators._linear_pointwise(x, packed, bias, "relu", [], "")
    return result
