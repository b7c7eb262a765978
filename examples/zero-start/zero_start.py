"""CoordConv that begins as the plain network: its coordinates' weights are zero at first."""

import torch

from coordconv_rl import CoordConv2d, CoordConvExtractor


class ZeroStart(CoordConvExtractor):
    """The arm `coordconv` of MinAtar's games, but at first it computes what the arm `cnn` does.

    All other weights are drawn alike, so that both arms begin as the same function of the image.
    """

    def __init__(self, observation_space, normalized_image=False):
        super().__init__(observation_space, backbone="minatar", normalized_image=normalized_image)
        for layer in self.modules():
            if isinstance(layer, CoordConv2d):
                torch.nn.init.zeros_(layer.coord_weight)
