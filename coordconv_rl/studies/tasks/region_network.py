"""The network of the `detection` study, after the authors' RegionProposalSampler."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from coordconv_rl.studies.tasks.networks import first_convolution, initialise
from coordconv_rl.studies.tasks.proposals import SIDES
from coordconv_rl.studies.tasks.study import ModelName

ANCHORS = len(SIDES) ** 2  # at each place
HIDDEN = 32  # channels of the region proposal layers


class RegionProposals(nn.Module):
    """From canvases to offsets and scores of all anchors.

    5x5 convolution of 32 channels, pooling, 5x5 of 64, pooling (13x13 places are left), 3x3 of 32;
    behind that the scores by one 1x1 convolution, the offsets by a 3x3 of 32 and a 1x1. CoordConv
    sees coordinates in the first convolution, the first 3x3 and the one that ends in offsets.

    Args:
        model: Which of the three models.
        seed: Fixes the permutations of "shuffled".
    """

    def __init__(self, model: ModelName, seed: int) -> None:
        """Build the layers; see the class."""
        super().__init__()
        self.trunk = nn.Sequential(
            first_convolution(model, 1, 32, 5, seed=seed, padding=0),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 5),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            first_convolution(model, 64, HIDDEN, 3, seed=seed),
            nn.ReLU(inplace=True),
        )
        self.scores = nn.Conv2d(HIDDEN, 2 * ANCHORS, 1)
        self.offsets = nn.Sequential(
            nn.Conv2d(HIDDEN, HIDDEN, 3, padding=1),
            nn.ReLU(inplace=True),
            first_convolution(model, HIDDEN, 4 * ANCHORS, 1, seed=seed),
        )

    def forward(self, canvases: Tensor) -> Tensor:
        """Turn (n, 1, 64, 64) into (n, 1521, 6): place by place, anchor by anchor."""
        features = self.trunk(canvases)
        parts = (self.offsets(features), self.scores(features))
        return torch.cat(
            [
                part.permute(0, 2, 3, 1).reshape(len(canvases), -1, n)
                for part, n in zip(parts, (4, 2), strict=True)
            ],
            dim=2,
        )


@torch.no_grad()
def initialise_proposals(network: RegionProposals, seed: int) -> RegionProposals:
    """Draw kernels as in the other studies; the offsets start at 0, as the authors' do."""
    initialise(network, seed)
    for weight in network.offsets[-1].parameters():
        weight.zero_()
    return network
