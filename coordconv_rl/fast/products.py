"""Products of matrices in float32, by the library that is fastest for them on this processor.

torch multiplies float32 matrices with Intel's MKL and convolves with oneDNN. On AMD's processors
MKL is the slower one: 105 GFLOP/s against 245 on a core of Zen 5, 105 against 125 where oneDNN is
kept to AVX2. So there the fast path's products go to oneDNN, by the operators that `torch.compile`
calls. torch does not document them: they are tried once, and where they fail the log says why and
torch's own products serve. The results differ by rounding.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from coordconv_rl.processor import is_amd

_log = logging.getLogger(__name__)


@cache
def onednn_operators(dtype: torch.dtype) -> Any:
    """Return torch's namespace of oneDNN operators if they compute in this type here, else None."""
    found = torch.ops.mkldnn
    ones = torch.ones(2, 2, dtype=dtype)
    try:
        packed = found._reorder_linear_weight(ones, None)
        product = found._linear_pointwise(ones, packed, ones[0], "relu", [], "")
    except (AttributeError, RuntimeError, TypeError) as error:  # none such, no kernel, other ones
        _log.info("products without oneDNN's operators, a little slower: %r", error)
        return None
    if not product.eq(3).all():
        _log.warning("oneDNN's linear operator does not compute 1 + 1 + 1 here: it is not used")
        return None
    return found


def multiplies_by_onednn() -> bool:
    """Tell whether float32 products go to oneDNN here."""
    return is_amd() and onednn_operators(torch.float32) is not None


def has_fast_float32() -> bool:
    """Tell whether float32 products are as fast as convolutions here: MKL's are, but on AMD's."""
    if is_amd():
        return multiplies_by_onednn()
    found: bool = torch.backends.mkl.is_available()  # type: ignore[no-untyped-call]
    return found


def gains_by_onednn(matrix: Tensor) -> bool:
    """Tell whether products of such a matrix are faster by oneDNN's operators."""
    is_plain = matrix.dtype == torch.float32 and matrix.device.type == "cpu"
    return is_plain and multiplies_by_onednn()


def is_float32_exact() -> bool:
    """Tell whether float32 products and convolutions are computed in float32, as by default.

    `torch.set_float32_matmul_precision("medium")` lets oneDNN multiply matrices in bfloat16 and
    leaves convolutions alone: a convolution computed as a product would be another one.
    """
    onednn: Any = torch.backends.mkldnn
    parts = (onednn.matmul, onednn.conv)
    return all(part.fp32_precision in ("none", "ieee") for part in parts)


def keeps_programs(matrix: Tensor) -> bool:
    """Tell whether products of such a matrix are oneDNN's, which keeps a program for each size."""
    return matrix.dtype not in (torch.float32, torch.float64) or gains_by_onednn(matrix)


def product(a: Tensor, b: Tensor) -> Tensor:
    """Return a @ b; where torch records a graph, so that it can be differentiated."""
    return _by_onednn(a, b.t(), None) if _is_for_onednn(a) else a @ b


def product_into(out: Tensor, a: Tensor, b: Tensor) -> None:
    """Write a @ b into a matrix; nothing of it is recorded."""
    if _is_for_onednn(a):
        out.copy_(_by_onednn(a, b.t(), None))
    else:
        torch.mm(a, b, out=out)


def affine(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return x weight^T + bias for x of shape (N, inputs), weight (outputs, inputs)."""
    return _by_onednn(x, weight, bias) if _is_for_onednn(x) else F.linear(x, weight, bias)


def _is_for_onednn(matrix: Tensor) -> bool:
    """The operator has no gradient: where one may be asked for, torch's own product is taken."""
    return not torch.is_grad_enabled() and gains_by_onednn(matrix)


def _by_onednn(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    operators = onednn_operators(x.dtype)
    result: Tensor = operators._linear_pointwise(x, weight, bias, "none", [], "")
    return result
