from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn

from coordconv_rl.layers import CoordConv2d
from coordconv_rl.studies.tasks.networks import (
    FreeOfPenalty,
    deconvolution_network,
    first_convolution,
    initialise,
    penalised_kernels,
)


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


def test_the_penalty_is_on_kernels_that_are_not_free_of_it():
    network = nn.Sequential(
        CoordConv2d(1, 2, 3), nn.BatchNorm2d(2), FreeOfPenalty(nn.Conv2d(2, 2, 1)), nn.Linear(4, 5)
    )
    shapes = [tuple(kernel.shape) for kernel in penalised_kernels(network)]
    assert shapes == [(2, 1, 3, 3), (2, 2, 3, 3), (5, 4)]


def test_first_convolutions_keep_the_size_unless_told_otherwise():
    image = torch.zeros(1, 1, 12, 12)
    for model in ("coordconv", "convolution", "shuffled"):
        assert first_convolution(model, 1, 4, 5, seed=0)(image).shape[-2:] == (12, 12)
        assert first_convolution(model, 1, 4, 5, seed=0, padding=0)(image).shape[-2:] == (8, 8)


def test_initial_kernels_have_the_variance_of_their_inputs():
    network = nn.Sequential(CoordConv2d(30, 400, 3), nn.ReLU(), nn.Linear(500, 600))
    assert initialise(network, 0) is network
    layer, dense = network[0], network[2]
    both = torch.cat([layer.weight, layer.coord_weight], dim=1)
    assert both.var().item() == pytest.approx(2 / (32 * 9), rel=0.03)
    assert dense.weight.var().item() == pytest.approx(2 / 500, rel=0.03)
    assert (layer.bias == 0).all()
