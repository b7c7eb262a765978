from __future__ import annotations

import itertools

import pytest
import torch

from coordconv_rl.studies.tasks.networks import deconvolution_network


def count(network):
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("kernel", [2, 3, 4])
@pytest.mark.parametrize("width", [1, 3])
def test_deconvolutions_reach_the_canvas_with_every_kernel(kernel, width):
    network = deconvolution_network(width, kernel)
    assert network(torch.zeros(2, 2)).shape == (2, 1, 64, 64)
    sizes = [2, 64 * width, 64 * width, 64 * width, 32 * width, 32 * width, 1]
    pairs = list(itertools.pairwise(sizes))
    weights = sum(a * b * kernel**2 + b for a, b in pairs) + 2 * sum(sizes[1:-1])
    assert count(network) == weights
