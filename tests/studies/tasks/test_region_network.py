"""The region proposal network: its sizes, its order, and where it starts."""

from __future__ import annotations

import pytest
import torch

from coordconv_rl.studies.tasks.region_network import RegionProposals, initialise_proposals

# 5x5 of 32, 5x5 of 64, two 3x3 of 32, 1x1 to 18 scores and to 36 offsets
PLAIN = 25 * 32 + 32 + 800 * 64 + 64 + 576 * 32 + 32 + 288 * 32 + 32 + 32 * 18 + 18 + 32 * 36 + 36
COORDINATES = 2 * 25 * 32 + 2 * 9 * 32 + 2 * 36


@pytest.mark.parametrize(
    ("model", "parameters"),
    [("convolution", PLAIN), ("coordconv", PLAIN + COORDINATES), ("shuffled", PLAIN + COORDINATES)],
)
def test_parameters(model, parameters):
    assert sum(p.numel() for p in RegionProposals(model, 0).parameters()) == parameters


def test_outputs_are_ordered_place_by_place():
    network = RegionProposals("convolution", 0)
    with torch.no_grad():
        network.scores.weight.zero_()
        network.scores.bias.copy_(torch.arange(18.0))
    outputs = network(torch.rand(2, 1, 64, 64))
    assert outputs.shape == (2, 1521, 6)
    assert outputs[1, 9 * 40 : 9 * 41, 4:].flatten().tolist() == list(range(18))


@pytest.mark.parametrize("model", ["convolution", "coordconv"])
def test_offsets_start_at_0_and_scores_do_not(model):
    network = RegionProposals(model, 0)
    initialise_proposals(network, 0)
    outputs = network(torch.rand(2, 1, 64, 64))
    assert (outputs[..., :4] == 0).all()
    assert (outputs[..., 4:] != 0).any()
