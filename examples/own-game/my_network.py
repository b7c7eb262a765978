"""A network of one's own, with or without coordinates; the rest of both arms is the same."""

import torch
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import nn

from coordconv_rl import CoordConv2d


class Small(BaseFeaturesExtractor):
    """Two convolutions and the mean over all places, which forgets where things were."""

    def __init__(self, observation_space, coordinates=False, width=32):
        super().__init__(observation_space, features_dim=width)
        first = CoordConv2d if coordinates else nn.Conv2d
        self.layers = nn.Sequential(
            first(observation_space.shape[0], 16, kernel_size=4, stride=2),
            nn.ReLU(),
            nn.Conv2d(16, width, kernel_size=3, stride=2),
            nn.ReLU(),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return features of shape (images, width)."""
        return self.layers(images).mean(dim=(2, 3))
