"""A linear layer for few rows with its weight in oneDNN's own order, made once for many calls.

A weight as torch keeps it is put in order in every product, which for few rows takes as long as
the product. The operators are those that `torch.compile` calls; torch does not document them, so
they are tried once, and where they fail the log says why and the plain function serves. The
results are the same.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import Any

import torch
from torch import Tensor

_log = logging.getLogger(__name__)


def is_packable(weight: Tensor) -> bool:
    """Tell whether it works here for this weight: bfloat16, on a processor that multiplies it."""
    on_processor = weight.device.type == "cpu" and weight.dtype == torch.bfloat16
    return on_processor and _operators() is not None


@cache
def _operators() -> Any:
    """Return torch's namespace of oneDNN operators if they compute here, else None."""
    found = torch.ops.mkldnn
    ones = torch.ones(2, 2, dtype=torch.bfloat16)
    try:
        packed = found._reorder_linear_weight(ones, None)
        product = found._linear_pointwise(ones, packed, ones[0], "relu", [], "")
    except (AttributeError, RuntimeError, TypeError) as error:  # none such, no kernel, other ones
        _log.info("linear layers without oneDNN's own order of weights, a little slower: %r", error)
        return None
    if not product.eq(3).all():
        _log.warning("oneDNN's linear operator does not compute 1 + 1 + 1 here: it is not used")
        return None
    return found


def pack(weight: Tensor) -> Tensor:
    """Return a weight (outputs, inputs) in oneDNN's order, for `packed_linear_relu` alone."""
    packed: Tensor = _operators()._reorder_linear_weight(weight, None)
    return packed


def packed_linear_relu(x: Tensor, packed: Tensor, bias: Tensor) -> Tensor:
    """Compute relu(x weight^T + bias) for x of shape (N, inputs)."""
    result: Tensor = _operators()._linear_pointwise(x, packed, bias, "relu", [], "")
    return result
