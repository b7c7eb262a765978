"""Distinct patches of a rollout, counted by hand and against each limit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from played import breakout
from torch import Tensor

from coordconv_rl.fast.patch_index import EAGER, PatchIndex

ALWAYS = (1.0, 1.0, 1.0)


@pytest.fixture(scope="module")
def rollout() -> Tensor:
    return breakout()


@pytest.mark.parametrize(
    "shape",
    [(3, 84, 84, 3), (3, 84, 84, 1), (3, 83, 84, 4), (3, 84, 82, 4), (3, 32, 84, 4)],
)
def test_other_frames_do_not_fit(shape):
    assert not PatchIndex.is_indexable(torch.zeros(shape, dtype=torch.uint8))
    assert not PatchIndex.is_indexable(torch.zeros(84, 3, 84, 4, dtype=torch.uint8).transpose(0, 1))


def test_distinct_patches_counted_by_hand():
    frames = torch.zeros(4, 84, 84, 4, dtype=torch.uint8)
    frames[1, 0, 0, 2] = frames[3, 0, 0, 2] = 7  # the first position of each convolution sees it
    frames[2:, 40, 40, 0] = 9  # at lines and columns 9 and 10, then 3 to 5, then 1 to 5
    inds = np.array([3, 1, 0])
    batch = PatchIndex(frames, inds, ALWAYS).minibatch(inds)
    assert batch is not None
    lower, upper, third = batch.layers
    assert [len(layer.first) for layer in batch.layers] == [400 + 1 + 4, 81 + 1 + 9, 49 + 1 + 25]
    assert batch.pixels.shape == (405, 256)
    assert upper.uses.shape == (75, 9)
    assert third.uses.shape == (3, 49)
    assert third.uses[0, 0] == third.uses[1, 0] != third.uses[2, 0]
    assert third.uses[0, 48] == third.uses[1, 48] == third.uses[2, 48]
    pixels = [batch.pixels[lower.uses[upper.uses[third.uses[image, 0], 0], 0]] for image in (1, 2)]
    assert pixels[0].nonzero()[0].tolist() == [2]
    assert not pixels[1].any()
    assert lower.positions[lower.uses[upper.uses[third.uses[1, 0], 0], 0]] == 0
    seen = batch.pixels[lower.positions == 10 * 20 + 10]
    assert sorted(row.nonzero()[0].tolist() for row in seen) == [[], [0]]


def test_where_hardly_anything_comes_again_convolutions_are_plain():
    noise = torch.randint(256, (16, 84, 84, 4), generator=torch.Generator().manual_seed(0))
    for inds in (np.arange(8), np.arange(1)):
        found = PatchIndex(noise.to(torch.uint8), inds, EAGER)
        assert found.minibatch(inds) is None
        assert found.whole() is None


def test_each_convolution_has_its_limit(rollout):
    inds = np.arange(0, len(rollout), 2)
    batch = PatchIndex(rollout, inds, ALWAYS).minibatch(inds)
    assert batch is not None
    counts = [len(layer.first) for layer in batch.layers]
    places = [len(inds) * layer.shape[0] * layer.shape[1] for layer in batch.layers]
    shares = [count / place for count, place in zip(counts, places, strict=True)]
    for depth in range(4):
        limits = [share + (1e-9 if i < depth else -1e-9) for i, share in enumerate(shares)]
        found = PatchIndex(rollout, inds, (limits[0], limits[1], limits[2])).minibatch(inds)
        assert (len(found.layers) if found is not None else 0) == depth
