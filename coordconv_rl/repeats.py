"""Two convolutions over many images, each patch that comes again computed once.

From one Atari observation to the next most of the screen stands still, so most of what the first
two convolutions see in a minibatch is there several times. Here each distinct patch is one row of
a matrix product. The backward pass first sums the gradients of a patch's occurrences, which is
the same sum in another order, and then does its products for distinct patches only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeAlias

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

CHANNELS = 4
STRIDE = 4  # The Nature network: 8x8 pixels every four, then 4x4 outputs every two.
UPPER_KERNEL, UPPER_STRIDE = 4, 2
WORTHWHILE = 1.0  # Measured: above it, as shares of the two convolutions, plain ones are faster.

PART = 4096  # patches of one product; all at once would be fresh memory, mapped page by page
STEP = 1024  # Patches are padded to a multiple: oneDNN makes and keeps a program for each size.


@dataclass(frozen=True)
class Distinct:
    """The distinct patches of one convolution in a minibatch.

    Places are numbered position by position, the images within each: `position * images + image`.

    Attributes:
        ids: (places,) int64, the number of each place's patch.
        first: (patches,) int64, each patch's first place; its other places follow at once.
        images: Images in the minibatch.
    """

    ids: Tensor
    first: Tensor
    images: int

    @property
    def positions(self) -> Tensor:
        """(patches,) int64, where in the image each patch is."""
        return self.first // self.images

    @property
    def share(self) -> float:
        """Distinct patches over places."""
        return len(self.first) / len(self.ids)


@dataclass(frozen=True)
class Minibatch:
    """What `conv_relu_twice` needs to know of a minibatch.

    Attributes:
        pixels: (P, 8 * 8 * 4) uint8, the distinct patches of the first convolution, padded.
        lower: Those patches.
        upper: The distinct patches of the second.
        inputs: (Q * 16,) int64, the lower patches of which each upper one consists, padded.
        shape: Height and width of the second convolution's output.
    """

    pixels: Tensor
    lower: Distinct
    upper: Distinct
    inputs: Tensor
    shape: tuple[int, int]


class Repeats:
    """Finds the patches of a rollout's images that stay from one image to the next.

    Args:
        frames: (N, H, W, 4) uint8 on a processor, in an order in which neighbours are alike.
            They must stay as they are.
    """

    def __init__(self, frames: Tensor) -> None:
        self._height, self._width = frames.shape[1] // STRIDE - 1, frames.shape[2] // STRIDE - 1
        self._frames = frames
        lower = _windows(_changed_blocks(frames), 2, 1)
        upper = _windows(lower, UPPER_KERNEL, UPPER_STRIDE)
        self._upper_height, self._upper_width = upper.shape[1:]
        self._lower_versions, self._upper_versions = _versions(lower), _versions(upper)
        self._worthwhile: bool | None = None
        self._pixels = self._places_of_pixels()
        self._inputs = self._places_of_inputs()

    @staticmethod
    def fits(frames: Tensor) -> bool:
        """Tell whether frames are such as this class takes."""
        _, height, width, channels = frames.shape
        smallest = STRIDE * (UPPER_KERNEL + 1)
        return (
            channels == CHANNELS
            and not height % STRIDE
            and not width % STRIDE
            and min(height, width) >= smallest
            and frames.device.type == "cpu"
            and frames.is_contiguous()
        )

    def minibatch(self, inds: Tensor) -> Minibatch | None:
        """Find the distinct patches of some images.

        Args:
            inds: (B,) int64, which images, ascending.

        Returns:
            What `conv_relu_twice` needs, or None where so little comes again that plain
            convolutions are faster; the first minibatch decides for all.
        """
        if self._worthwhile is False:
            return None
        lower = _distinct(self._lower_versions, inds)
        upper = _distinct(self._upper_versions, inds)
        if self._worthwhile is None:
            self._worthwhile = lower.share + upper.share < WORTHWHILE
            if not self._worthwhile:
                return None
        count = len(inds)
        image = inds.index_select(0, lower.first % count)
        size = self._frames[0].numel() // CHANNELS // STRIDE
        rows = self._pixels.index_select(0, lower.positions).add_(image[:, None] * size)
        pixels = torch.from_numpy(_quads(self._frames).numpy().take(_padded(rows).numpy()))
        places = self._inputs.index_select(0, upper.positions) * count
        places = _padded(places.add_((upper.first % count)[:, None]))
        inputs = lower.ids.index_select(0, places.view(-1))
        shape = (self._upper_height, self._upper_width)
        patches = pixels.view(torch.uint8)
        return Minibatch(patches, lower, upper, inputs, shape)

    def _places_of_pixels(self) -> Tensor:
        """Return (positions, 16): where in an image each patch's runs of four pixels are."""
        width = self._width + 1
        y, x = torch.arange(self._height)[:, None, None, None], torch.arange(self._width)
        row, run = torch.arange(2 * STRIDE)[:, None], torch.arange(2)
        return ((STRIDE * y + row) * width + x[:, None, None] + run).flatten(2).flatten(0, 1)

    def _places_of_inputs(self) -> Tensor:
        """Return (upper positions, 16): the lower positions that each upper patch covers."""
        y = torch.arange(self._upper_height)[:, None, None, None] * UPPER_STRIDE
        x = torch.arange(self._upper_width)[:, None, None] * UPPER_STRIDE
        row, column = torch.arange(UPPER_KERNEL)[:, None], torch.arange(UPPER_KERNEL)
        return ((y + row) * self._width + x + column).flatten(2).flatten(0, 1)


def conv_relu_twice(
    batch: Minibatch,
    weights: tuple[Tensor, Tensor],
    shares: tuple[Tensor, Tensor],
) -> Tensor:
    """Compute two convolutions as `fused.conv_relu` twice would for the minibatch's images.

    Args:
        batch: What `Repeats.minibatch` found.
        weights: (K, 4, 8, 8) and (L, K, 4, 4), channels last.
        shares: Biases or maps, as `fused.conv_relu` takes them.

    Returns:
        Shape (B, L, H', W'), channels last, the weights' type; B as the images of the minibatch.
    """
    result: Tensor = _Twice.apply(batch, *weights, *shares)  # type: ignore[no-untyped-call]
    return result


class _Twice(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, batch: Minibatch, lower: Tensor, upper: Tensor, low: Tensor, up: Tensor
    ) -> Tensor:
        y = _products(_lower_patches(batch, lower.dtype), _matrix(lower), len(batch.pixels))
        y = _add(y, low, batch.lower).relu_()
        count = _padded_count(len(batch.upper.first))
        z = _products(_upper_patches(batch, y), _matrix(upper), count)
        z = _add(z, up, batch.upper).relu_()
        ctx.save_for_backward(y, z, upper)
        ctx.batch = batch
        ctx.kernels, ctx.shares = (lower.shape, upper.shape), (low.shape, up.shape)
        places = batch.upper.ids.view(-1, batch.upper.images).t().reshape(-1)
        images = z.index_select(0, places).view(batch.upper.images, *batch.shape, -1)
        return images.movedim(-1, 1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        y, z, upper = ctx.saved_tensors
        batch: Minibatch = ctx.batch
        rows = grad.movedim(1, -1).contiguous().view(-1, grad.shape[1])
        count = batch.upper.images
        places = torch.arange(len(rows)).view(count, -1).t().reshape(-1)
        grad = _padded(_sums(rows, places, batch.upper.first))
        grad = torch.ops.aten.threshold_backward(grad, z, 0)
        to_upper = _to_weight(grad, _upper_patches(batch, y))
        to_up = _to_share(grad, ctx.shares[1], batch.upper)
        rows = (grad @ _matrix(upper)).view(len(batch.inputs), -1)
        grad = _sums_by(rows, batch.inputs, len(y))
        grad = torch.ops.aten.threshold_backward(grad, y, 0)
        to_lower = _to_weight(grad, _lower_patches(batch, y.dtype))
        to_low = _to_share(grad, ctx.shares[0], batch.lower)
        return None, *map(_kernel, (to_lower, to_upper), ctx.kernels), to_low, to_up


Patches: TypeAlias = Callable[[slice], Tensor]
"""Some of the distinct patches as rows of a matrix, (patches, kh * kw * C)."""


def _lower_patches(batch: Minibatch, dtype: torch.dtype) -> Patches:
    return lambda part: batch.pixels[part].to(dtype)


def _upper_patches(batch: Minibatch, y: Tensor) -> Patches:
    inputs = batch.inputs.view(-1, UPPER_KERNEL**2)
    return lambda part: y.index_select(0, inputs[part].view(-1)).view(
        -1, inputs.shape[1] * y.shape[1]
    )


def _parts(count: int) -> list[slice]:
    return [slice(start, start + PART) for start in range(0, count, PART)]


def _padded_count(count: int) -> int:
    return -(-count // STEP) * STEP


def _padded(rows: Tensor) -> Tensor:
    """Add rows of zeros."""
    return F.pad(rows, (0, 0, 0, _padded_count(len(rows)) - len(rows)))


def _products(patches: Patches, weight: Tensor, count: int) -> Tensor:
    """Multiply `count` patches by a weight (K, kh * kw * C): (count, K)."""
    result = weight.new_empty(count, len(weight))
    for part in _parts(count):
        torch.mm(patches(part), weight.t(), out=result[part])
    return result


def _to_weight(grad: Tensor, patches: Patches) -> Tensor:
    """Return the weight's gradient, (K, kh * kw * C), summed in float32 at least."""
    dtype = torch.promote_types(grad.dtype, torch.float32)
    parts = [(grad[part].t() @ patches(part)).to(dtype) for part in _parts(len(grad))]
    return sum(parts[1:], parts[0]).to(grad.dtype)


def _quads(frames: Tensor) -> Tensor:
    """View frames as runs of four pixels of four bytes, (N, H, W / 4).

    The numbers mean nothing; no other type has 16 bytes, and one number moves at once.
    """
    return frames.flatten(2).view(torch.complex128)


def _changed_blocks(frames: Tensor) -> Tensor:
    """Return (N - 1, H / 4, W / 4): which blocks of 4x4 pixels differ from the last image's."""
    halves = frames.flatten(2).view(torch.int64)
    differ = (halves[1:] != halves[:-1]).view(torch.int16) != 0
    return _any([differ[:, start::STRIDE] for start in range(STRIDE)])


def _windows(flags: Tensor, kernel: int, stride: int) -> Tensor:
    """Return whether any flag of each window is set; windows as a convolution's."""
    for dim in (1, 2):
        last = flags.shape[dim] - kernel
        parts = [flags.narrow(dim, start, last + 1) for start in range(kernel)]
        flags = _any([part[:, ::stride] if dim == 1 else part[:, :, ::stride] for part in parts])
    return flags


def _any(flags: list[Tensor]) -> Tensor:
    return reduce(torch.logical_or, flags)


def _versions(changed: Tensor) -> Tensor:
    """Return (N, positions) int32: how often each position has changed up to each image."""
    versions = torch.zeros(len(changed) + 1, changed[0].numel(), dtype=torch.int32)
    torch.cumsum(changed.flatten(1), 0, dtype=torch.int32, out=versions[1:])
    return versions


def _distinct(versions: Tensor, inds: Tensor) -> Distinct:
    found = versions.index_select(0, inds)
    new = torch.ones(found.shape[1], len(inds), dtype=torch.bool)
    torch.ne(found[1:].t(), found[:-1].t(), out=new[:, 1:])
    places = new.view(-1)
    return Distinct(places.cumsum(0).sub_(1), places.nonzero().view(-1), len(inds))


def _matrix(weight: Tensor) -> Tensor:
    """View a channels-last kernel as (K, kh * kw * C)."""
    return weight.permute(0, 2, 3, 1).flatten(1)


def _kernel(matrix: Tensor, shape: torch.Size) -> Tensor:
    """Undo `_matrix`."""
    outputs, channels, height, width = shape
    return matrix.view(outputs, height, width, channels).permute(0, 3, 1, 2)


def _add(rows: Tensor, share: Tensor, patches: Distinct) -> Tensor:
    """Add biases, or the map at each patch's position, in place."""
    if share.dim() == 1:
        return rows.add_(share)
    table = share.permute(0, 2, 3, 1).reshape(-1, rows.shape[1])
    rows[: len(patches.first)].add_(table.index_select(0, patches.positions))
    return rows


def _to_share(grad: Tensor, shape: torch.Size, patches: Distinct) -> Tensor:
    if len(shape) == 1:
        return grad.sum(0)
    _, channels, height, width = shape
    starts = torch.arange(height * width) * patches.images
    total = _sums(grad, torch.arange(len(grad)), patches.ids.index_select(0, starts))
    return total.view(1, height, width, channels).permute(0, 3, 1, 2)


def _sums(rows: Tensor, order: Tensor, starts: Tensor) -> Tensor:
    """Sum `rows[order]` from each start up to the next."""
    sums: Tensor = F.embedding_bag(order, rows, starts, mode="sum")
    return sums


def _sums_by(rows: Tensor, ids: Tensor, count: int) -> Tensor:
    """Sum the rows of each id, (count, columns)."""
    places = np.arange(len(ids) + 1, dtype=np.int32)
    marks = (np.empty(len(ids), np.int8), ids.numpy().astype(np.int32), places)
    by_id = csr_matrix(marks, shape=(len(ids), count)).tocsc()  # a counting sort
    order, starts = torch.from_numpy(by_id.indices), torch.from_numpy(by_id.indptr[:-1])
    return _sums(rows, order, starts)
