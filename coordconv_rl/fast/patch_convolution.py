"""Convolutions over many images, each patch that comes again computed once.

Each distinct patch is one row of a matrix product. The backward pass first sums the gradients of
a patch's occurrences, which is the same sum in another order, and then does its products for
distinct patches only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from torch import Tensor
from torch.nn import functional as F

from coordconv_rl.fast.fused import conv_relu
from coordconv_rl.fast.gate import STRIDES
from coordconv_rl.fast.patch_index import PatchBatch, PatchLayer
from coordconv_rl.fast.products import keeps_programs, product, product_into

PADDED_TO = 512  # patches come in multiples: oneDNN makes and keeps a program for each size
PRODUCT_ROWS = 2048  # patches of one product of oneDNN's; all at once would be fresh memory
CACHED_ROWS = 512  # of others, which need no padding: then a part's patches stay in the cache


def convolve_patches(
    batch: PatchBatch,
    weights: Sequence[Tensor],
    shares: Sequence[Tensor],
    frames: Callable[[], Tensor],
    known: Sequence[Tensor] | None = None,
) -> Tensor:
    """Compute convolutions as `fused.conv_relu`, one after the other, would for the images.

    Args:
        batch: What `PatchIndex.minibatch` found.
        weights: (K, C, kh, kw) of each of the batch's layers.
        shares: Biases or maps, as `fused.conv_relu` takes them.
        frames: Gathers the images, (B, C, H, W) uint8. They are asked for only where a second
            derivative is taken: it goes through plain convolutions.
        known: The results of all of them for the whole rollout, (N, K, H', W') each, if they were
            computed before: then only the backward pass needs the rest.

    Returns:
        Shape (B, K, H', W'), channels last, the weights' type; B as the images of the minibatch.
    """
    result: Tensor = _Distinct.apply(batch, frames, known, *weights, *shares)  # type: ignore[no-untyped-call]
    return result


class _Distinct(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        batch: PatchBatch,
        frames: Callable[[], Tensor],
        known: Sequence[Tensor] | None,
        *tensors: Tensor,
    ) -> Tensor:
        """Compute the patches, or pick them from what is known, and put the images together."""
        count = len(batch.layers)
        weights, shares = tensors[:count], tensors[count:]
        if known is None:
            results = _compute(batch, weights, shares)
        else:
            results = list(map(_pick, batch.layers, known))
        ctx.save_for_backward(*results, *tensors)
        ctx.batch, ctx.frames = batch, frames
        if known is not None:
            return known[count - 1].detach()
        last = batch.layers[-1]
        images = results[-1].index_select(0, torch.from_numpy(last.uses).view(-1))
        return images.view(-1, *last.shape, images.shape[1]).movedim(-1, 1)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        count = len(ctx.batch.layers)
        results, tensors = ctx.saved_tensors[:count], ctx.saved_tensors[count:]
        weights, shares = tensors[:count], tensors[count:]
        if torch.is_grad_enabled():  # this gradient will be differentiated again (create_graph)
            return None, None, None, *_plain_gradients(ctx.frames(), weights, shares, grad)
        return None, None, None, *_gradients(ctx.batch, results, weights, shares, grad)


def _gradients(
    batch: PatchBatch,
    results: Sequence[Tensor],
    weights: Sequence[Tensor],
    shares: Sequence[Tensor],
    grad: Tensor,
) -> list[Tensor]:
    """Return the gradients of weights and shares, from the last layer down to the pixels."""
    layers = batch.layers
    rows = grad.movedim(1, -1).reshape(-1, grad.shape[1])
    to_weights, to_shares = [], []
    for index in reversed(range(len(layers))):
        layer, y, weight = layers[index], results[index], weights[index]
        rows = _sums_by(rows, layer.uses, len(y))
        rows = torch.ops.aten.threshold_backward(rows, y, 0)
        patches = _patches(batch, results, index, y.dtype)
        to_weights.append(_kernel(_to_weight(rows, patches), weight.shape))
        to_shares.append(_to_share(rows, shares[index].shape, layer))
        if index:
            rows = _to_patches(rows, as_matrix(weight), len(layers[index - 1].uses))
            rows = rows.view(-1, weight.shape[1])
    return [*reversed(to_weights), *reversed(to_shares)]


def _plain_gradients(
    frames: Tensor, weights: Sequence[Tensor], shares: Sequence[Tensor], grad: Tensor
) -> list[Tensor | None]:
    """Return gradients that can be differentiated, through convolutions of all images."""
    x = frames.to(weights[0].dtype)
    for weight, share, stride in zip(weights, shares, STRIDES, strict=False):
        x = conv_relu(x, weight, share, stride)
    tensors = [*weights, *shares]
    wanted = [tensor for tensor in tensors if tensor.requires_grad]
    found = iter(torch.autograd.grad(x, wanted, grad, create_graph=True))
    return [next(found) if tensor.requires_grad else None for tensor in tensors]


def _compute(
    batch: PatchBatch, weights: Sequence[Tensor], shares: Sequence[Tensor]
) -> list[Tensor]:
    """Return each layer's results for its patches, (patches, K), padded."""
    results: list[Tensor] = []
    for layer, weight, share in zip(batch.layers, weights, shares, strict=True):
        patches = _patches(batch, results, len(results), weight.dtype)
        y = _products(patches, as_matrix(weight), _padded(len(layer.first), weight))
        results.append(_add(y, share, layer).relu_())
    return results


def _pick(layer: PatchLayer, known: Tensor) -> Tensor:
    """Pick each patch's result out of those of all images, (patches, K), padded."""
    rows = known.detach().movedim(1, -1).reshape(-1, known.shape[1])
    count = _padded(len(layer.first), known)
    return _fill(rows.index_select(0, torch.from_numpy(layer.first)), count)


Patches: TypeAlias = Callable[[slice], Tensor]
"""Some of the distinct patches as rows of a matrix, (patches, kh * kw * C)."""


def _patches(
    batch: PatchBatch, results: Sequence[Tensor], index: int, dtype: torch.dtype
) -> Patches:
    """Return one layer's patches: pixels, or what the layer below gave for their parts."""
    if not index:
        pixels = torch.from_numpy(batch.pixels)
        return lambda part: pixels[part].to(dtype)
    y, uses = results[index - 1], torch.from_numpy(batch.layers[index - 1].uses)
    columns = uses.shape[1] * y.shape[1]
    return lambda part: y.index_select(0, uses[part].reshape(-1)).view(-1, columns)


def _padded(count: int, weight: Tensor) -> int:
    return -(-count // PADDED_TO) * PADDED_TO if keeps_programs(weight) else count


def _parts(rows: Tensor) -> list[slice]:
    step = PRODUCT_ROWS if keeps_programs(rows) else CACHED_ROWS
    return [slice(start, start + step) for start in range(0, len(rows), step)]


def _fill(rows: Tensor, count: int) -> Tensor:
    """Add rows of zeros, if any."""
    missing = count - len(rows)
    return F.pad(rows, (0, 0, 0, missing)) if missing else rows


def _products(patches: Patches, weight: Tensor, count: int) -> Tensor:
    """Multiply patches by a weight (K, kh * kw * C): (count, K), the last rows zero."""
    result = weight.new_empty(count, len(weight))
    turned = weight.t()
    if not keeps_programs(weight):
        turned = turned.contiguous()  # MKL is a fifth faster so
    for part in _parts(result):
        out = result[part]
        product_into(out, _fill(patches(part), len(out)), turned)
    return result


def _to_patches(grad: Tensor, weight: Tensor, count: int) -> Tensor:
    """Return the gradient of the first `count` patches, (count, kh * kw * C)."""
    result = weight.new_empty(len(grad), weight.shape[1])
    for part in _parts(grad):
        product_into(result[part], grad[part], weight)
    return result[:count]


def _to_weight(grad: Tensor, patches: Patches) -> Tensor:
    """Return the weight's gradient, (K, kh * kw * C), summed in float32 at least."""
    dtype = torch.promote_types(grad.dtype, torch.float32)
    found = (
        product(grad[part].t(), _fill(patches(part), len(grad[part]))).to(dtype)
        for part in _parts(grad)
    )
    return reduce(Tensor.add_, found).to(grad.dtype)


def as_matrix(weight: Tensor) -> Tensor:
    """View a channels-last kernel as (K, kh * kw * C)."""
    return weight.permute(0, 2, 3, 1).flatten(1)


def _kernel(matrix: Tensor, shape: torch.Size) -> Tensor:
    """Undo `as_matrix`."""
    outputs, channels, height, width = shape
    return matrix.view(outputs, height, width, channels).permute(0, 3, 1, 2)


def _add(rows: Tensor, share: Tensor, layer: PatchLayer) -> Tensor:
    """Add biases, or the map at each patch's position, in place."""
    if share.dim() == 1:
        return rows.add_(share)
    table = share.permute(0, 2, 3, 1).reshape(-1, rows.shape[1])
    positions = torch.from_numpy(layer.positions)
    rows[: len(positions)].add_(table.index_select(0, positions))
    return rows


def _to_share(grad: Tensor, shape: torch.Size, layer: PatchLayer) -> Tensor:
    if len(shape) == 1:
        return grad.sum(0)
    _, channels, height, width = shape
    starts = np.searchsorted(layer.positions, np.arange(height * width))
    total = _sums(grad, torch.arange(len(grad)), torch.from_numpy(starts))
    return total.view(1, height, width, channels).permute(0, 3, 1, 2)


def _sums(rows: Tensor, order: Tensor, starts: Tensor) -> Tensor:
    """Sum `rows[order]` from each start up to the next."""
    sums: Tensor = F.embedding_bag(order, rows, starts, mode="sum")
    return sums


def _sums_by(rows: Tensor, numbers: NDArray[np.int32], count: int) -> Tensor:
    """Sum the rows of each number, (count, columns)."""
    ids = numbers.ravel()
    places = np.arange(len(ids) + 1, dtype=np.int32)
    marks = (np.empty(len(ids), np.int8), ids, places)
    by_id = csr_matrix(marks, shape=(len(ids), count)).tocsc()  # a counting sort
    order, starts = torch.from_numpy(by_id.indices), torch.from_numpy(by_id.indptr[:-1])
    return _sums(rows, order, starts)
