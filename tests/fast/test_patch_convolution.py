"""Convolutions of distinct patches are those of all images, and so are their gradients."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from played import breakout
from torch import Tensor

from coordconv_rl.fast import fused
from coordconv_rl.fast.patch_convolution import convolve_patches
from coordconv_rl.fast.patch_index import PatchIndex


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def rollout() -> Tensor:
    return breakout()


def images_of(frames: Tensor, inds: NDArray[np.int64]) -> Tensor:
    return frames[inds].movedim(-1, 1)


def scattered(count: int, height: int, width: int) -> Tensor:
    """Return frames of which one pixel in some thousands changes from each to the next."""
    rng = np.random.default_rng(0)
    changes = rng.integers(1, 255, (count, height, width, 4)) * (
        rng.random((count, height, width, 4)) < 4e-4
    )
    return torch.from_numpy((changes.cumsum(0) % 256).astype(np.uint8))


def sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Return height and width of the three convolutions' outputs."""
    found = [(height // 4 - 1, width // 4 - 1)]
    found.append(tuple((size - 4) // 2 + 1 for size in found[0]))
    return [*found, tuple(size - 2 for size in found[1])]


def layers(dtype: torch.dtype, shape: tuple[int, int], maps: int) -> list[Tensor]:
    """Return three weights and three shares, of which the first `maps` are maps."""
    draw = torch.Generator().manual_seed(1)
    kernels = [(32, 4, 8, 8), (64, 32, 4, 4), (64, 64, 3, 3)]
    scales = (1600, 22, 24)
    shares = [(1, k[0], *size) for k, size in zip(kernels, sizes(*shape), strict=True)]
    shares[maps:] = [(kernel[0],) for kernel in kernels[maps:]]
    tensors = [
        torch.randn(kernel, generator=draw, dtype=torch.float64).div(scale)
        for kernel, scale in zip(kernels, scales, strict=True)
    ]
    tensors = [one.contiguous(memory_format=torch.channels_last) for one in tensors]
    tensors += [torch.randn(one, generator=draw, dtype=torch.float64) / 5 for one in shares]
    return [one.to(dtype).requires_grad_() for one in tensors]


def plain(images: Tensor, weights: list[Tensor], shares: list[Tensor]) -> list[Tensor]:
    results = [images]
    for weight, share, stride in zip(weights, shares, (4, 2, 1), strict=False):
        results.append(fused.conv_relu(results[-1], weight, share, stride))
    return results[1:]


def both_ways(
    frames: Tensor,
    inds: NDArray[np.int64],
    dtype: torch.dtype,
    maps: int = 1,
    depth: int = 3,
    known: bool = False,
) -> list[list[Tensor]]:
    """Return outputs and gradients with repeats computed once, and by plain convolutions."""
    results = []
    images = frames[inds].movedim(-1, 1).to(dtype)
    limits = tuple(1.0 if index < depth else -1.0 for index in range(3))
    for simply in (False, True):
        tensors = layers(dtype, tuple(frames.shape[1:3]), maps)
        weights, shares = tensors[:depth], tensors[3 : 3 + depth]
        if simply:
            y = plain(images, weights, shares)[-1]
        else:
            found = PatchIndex(frames, inds, limits)
            batch = found.whole() if known else found.minibatch(inds)
            assert batch is not None
            assert len(batch.layers) == depth
            gather = partial(images_of, frames, inds)
            before = plain(images, weights, shares) if known else None
            y = convolve_patches(batch, weights, shares, gather, before)
        draw = torch.Generator().manual_seed(2)
        to_y = torch.randn(y.shape, generator=draw, dtype=torch.float64).to(dtype)
        y.backward(to_y)
        results.append([y.detach(), *(one.grad for one in (*weights, *shares))])
    return results


def assert_all_close(results: list[list[Tensor]]) -> None:
    for found, expected in zip(*results, strict=True):
        assert found.shape == expected.shape
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("maps", [0, 1, 3])
def test_outputs_and_gradients_are_those_of_plain_convolutions(rollout, maps, depth):
    inds = np.random.default_rng(0).permutation(len(rollout))[:24]
    assert_all_close(both_ways(rollout, inds, torch.float64, maps, depth))


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_gradients_where_the_outputs_are_known(rollout, depth):
    inds = np.arange(len(rollout))
    assert_all_close(both_ways(rollout, inds, torch.float64, depth=depth, known=True))


@pytest.mark.parametrize("shape", [(36, 36), (44, 40), (40, 84), (52, 48), (84, 84)])
def test_any_size_that_fits(shape):
    frames = scattered(40, *shape)
    assert PatchIndex.is_indexable(frames)
    assert_all_close(both_ways(frames, np.arange(40), torch.float64, maps=3))


def test_an_image_that_comes_twice_in_a_minibatch(rollout):
    inds = np.array([5, 2, 5, 5, 40])
    assert_all_close(both_ways(rollout, inds, torch.float64))


def test_bfloat16_gradients_are_as_close_to_the_truth_as_plain_ones(rollout):
    inds = np.arange(0, len(rollout), 2)
    truth = both_ways(rollout, inds, torch.float64)[1]
    ours, simple = both_ways(rollout, inds, torch.bfloat16)
    for index, expected in enumerate(truth):
        errors = [(one[index].double() - expected).norm() for one in (ours, simple)]
        assert errors[0] < 1.2 * errors[1] + 1e-3 * expected.norm(), index
