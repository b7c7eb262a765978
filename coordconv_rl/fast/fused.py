"""A convolution or linear layer with its offset and ReLU, written for few passes over memory.

Autograd's own way through convolution, addition and ReLU stores three outputs and reads them all
again; here each layer keeps its input and its final output.

The backward passes are made of operations that torch can differentiate, on what was saved, so that
second derivatives (gradient penalties, products with the Hessian) are right too.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from coordconv_rl.fast.packed_linear import packed_linear_relu
from coordconv_rl.fast.products import affine, product


def conv_relu(
    x: Tensor, weight: Tensor, share: Tensor, stride: int, known: Tensor | None = None
) -> Tensor:
    """Compute relu(convolution of x with weight + share).

    Args:
        x: Shape (N, C, H, W); channels last for training.
        weight: Shape (K, C, kh, kw), x's layout and type.
        share: Biases (K,), or a map (1, K, H', W') that is added to every image; x's type. Without
            gradients a map for each, (N, K, H', W'), too.
        stride: Stride in pixels; there is no padding.
        known: The result, if it was computed before: then only the backward pass needs the rest.

    Returns:
        Shape (N, K, H', W'), channels last, x's type.
    """
    if torch.is_grad_enabled():
        result: Tensor = _ConvRelu.apply(x, weight, share, stride, known)  # type: ignore[no-untyped-call]
        return result
    return _conv_relu(x, weight, share, stride) if known is None else known


def linear_relu(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    known: Tensor | None = None,
    packed: Tensor | None = None,
) -> Tensor:
    """Compute relu(x weight^T + bias) for x of shape (N, inputs), weight (outputs, inputs).

    `known` is as in `conv_relu`; `packed` is what `pack` made of the weight, if anything.
    """
    if torch.is_grad_enabled():
        result: Tensor = _LinearRelu.apply(x, weight, bias, known)  # type: ignore[no-untyped-call]
        return result
    if known is not None:
        return known
    if packed is not None:
        return packed_linear_relu(x, packed, bias)
    if x.dtype == torch.bfloat16 and x.shape[0] < 64:  # faster so on a processor, for few rows
        return torch.addmm(bias[:, None], weight, x.t()).relu_().t()
    return affine(x, weight, bias).relu_()


def _conv_relu(x: Tensor, weight: Tensor, share: Tensor, stride: int) -> Tensor:
    bias = share if share.dim() == 1 else None
    y = F.conv2d(x, weight, bias, stride).contiguous(memory_format=torch.channels_last)
    if bias is None:
        _rows(y).add_(_rows(share))
    return y.relu_()


def _rows(y: Tensor) -> Tensor:
    """View channels-last images as (N, H * W * K), so that a map is one vector to all of them."""
    y = y.contiguous(memory_format=torch.channels_last)
    return y.permute(0, 2, 3, 1).view(y.shape[0], -1)


class _ConvRelu(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, share: Tensor, stride: int, known: Tensor | None
    ) -> Tensor:
        y = _conv_relu(x, weight, share, stride) if known is None else known.detach()
        ctx.save_for_backward(x, weight, y)
        ctx.stride, ctx.share_shape = stride, share.shape
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, y = ctx.saved_tensors
        need_x, need_weight, need_share, *_ = ctx.needs_input_grad
        grad = grad.contiguous(memory_format=torch.channels_last)
        grad = _through_relu(grad, y)
        settings = (None, [ctx.stride] * 2, [0, 0], [1, 1], False, [0, 0], 1)
        mask = [need_x, need_weight, False]
        to_x, to_weight, _ = torch.ops.aten.convolution_backward(grad, x, weight, *settings, mask)
        to_share = _sum_of_images(grad) if need_share else None
        if to_share is not None and len(ctx.share_shape) == 1:
            to_share = to_share.sum((0, 2, 3))
        return to_x, to_weight, to_share, None, None


def _through_relu(grad: Tensor, y: Tensor) -> Tensor:
    """Return the gradient of ReLU's input; where its output `y` is zero, nothing passes."""
    passed: Tensor = torch.ops.aten.threshold_backward(grad, y.detach(), 0)
    return passed


def _sum_of_images(grad: Tensor) -> Tensor:
    """Sum (N, K, H, W) over N: a product with ones is the fastest way to do it on a processor."""
    rows = _rows(grad)
    _, channels, height, width = grad.shape
    total = rows.new_ones(1, rows.shape[0]) @ rows
    return total.view(1, height, width, channels).permute(0, 3, 1, 2)


class _LinearRelu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, known: Tensor | None) -> Tensor:
        y = affine(x, weight, bias).relu_() if known is None else known.detach()
        ctx.save_for_backward(x, weight, y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        x, weight, y = ctx.saved_tensors
        grad = _through_relu(grad, y)
        return product(grad, weight), product(grad.t(), x), grad.sum(0), None
