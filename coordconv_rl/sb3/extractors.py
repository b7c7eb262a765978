"""Feature extractors for Stable-Baselines3: the arms of a comparison in plain `policy_kwargs`.

SB3 adds two layers of 64 units behind any extractor that is not its own `NatureCNN`; pass
`net_arch=[]` in `policy_kwargs` for the network of Mnih et al. 2015 (`CoordConvPolicy` does).
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from gymnasium import spaces
from stable_baselines3.common.preprocessing import get_flattened_obs_dim, is_image_space
from stable_baselines3.common.torch_layers import (
    BaseFeaturesExtractor,
    CombinedExtractor,
    NatureCNN,
)
from torch import nn

from coordconv_rl.arms import Arm, Coords
from coordconv_rl.errors import InputError
from coordconv_rl.layers import CoordConv2d
from coordconv_rl.sb3.backbones import check_image, convolutions, impala_cnn, nature_cnn

Backbone = Literal["nature", "impala"]


class CoordConvExtractor(NatureCNN):
    """Features of images by a convolutional network that may know where it looks.

    With `coords="none"` and the Nature backbone this is SB3's `NatureCNN`: the same parameter
    names, the same weights from the same seed and the same outputs. It is a subclass so that SB3
    passes `normalized_image` to it as well.

    Args:
        observation_space: Images (channels, height, width), uint8 in [0, 255].
        features_dim: Number of features.
        backbone: "nature" (Mnih et al. 2015) or "impala" (Espeholt et al. 2018, large).
        coords: Which convolutions get coordinates: "first", "all", "none" or indices.
        radius: Whether the distance from the centre is a third coordinate channel.
        shuffle_seed: If given, coordinates sit at pixels permuted once by this seed (the control).
        normalized_image: Whether images are already scaled (SB3's `normalize_images=False`).

    Raises:
        InputError: If the space holds no such images, or an option does not exist.
    """

    def __init__(
        self,
        observation_space: spaces.Box,
        features_dim: int = 512,
        backbone: Backbone = "nature",
        coords: Coords = "first",
        radius: bool = False,
        shuffle_seed: int | None = None,
        normalized_image: bool = False,
    ) -> None:
        convolution = convolutions(backbone, coords, radius, shuffle_seed)
        check_image(observation_space, backbone, normalized_image=normalized_image)
        BaseFeaturesExtractor.__init__(self, observation_space, features_dim)
        self.backbone = backbone
        build = nature_cnn if backbone == "nature" else impala_cnn
        self.cnn = build(observation_space.shape[0], convolution)
        with torch.no_grad():
            flat = self.cnn(torch.zeros(1, *observation_space.shape)).shape[1]
        self.linear = nn.Sequential(nn.Linear(flat, features_dim), nn.ReLU())


class CoordConvCombinedExtractor(CombinedExtractor):
    """Features of Dict observations: images by `CoordConvExtractor`, the rest flattened.

    Args:
        observation_space: A Dict with at least one image.
        cnn_output_dim: Number of features of each image.
        backbone: As in `CoordConvExtractor`, and so are all arguments below.
        coords: Which convolutions get coordinates.
        radius: Whether the distance from the centre is a third coordinate channel.
        shuffle_seed: Seed of the control's permutation of pixels.
        normalized_image: Whether images are already scaled.

    Raises:
        InputError: If the space is no Dict, or none of its entries is an image.
    """

    def __init__(
        self,
        observation_space: spaces.Dict,
        cnn_output_dim: int = 256,
        backbone: Backbone = "nature",
        coords: Coords = "first",
        radius: bool = False,
        shuffle_seed: int | None = None,
        normalized_image: bool = False,
    ) -> None:
        images = _image_keys(observation_space, normalized_image)
        BaseFeaturesExtractor.__init__(self, observation_space, features_dim=1)
        self.extractors = nn.ModuleDict()
        sizes = []
        for key, space in observation_space.spaces.items():
            if key in images:
                self.extractors[key] = CoordConvExtractor(
                    images[key], cnn_output_dim, backbone, coords, radius, shuffle_seed,
                    normalized_image,
                )  # fmt: skip
                sizes.append(cnn_output_dim)
            else:
                self.extractors[key] = nn.Flatten()
                sizes.append(get_flattened_obs_dim(space))
        self._features_dim = sum(sizes)


def _image_keys(space: spaces.Space[Any], normalized_image: bool) -> dict[str, spaces.Box]:
    """Return the images of a Dict space by key."""
    if not isinstance(space, spaces.Dict):
        raise InputError(
            f"found observations {space}, wanted a Dict with images: use CoordConvExtractor in "
            "CnnPolicy for images alone"
        )
    images = {
        key: box
        for key, box in space.spaces.items()
        if isinstance(box, spaces.Box) and is_image_space(box, normalized_image=normalized_image)
    }
    if not images:
        raise InputError(
            f"found no image in {space}, wanted a Box of shape (channels, height, width), uint8 in "
            "[0, 255], under some key: add one, or use SB3's CombinedExtractor"
        )
    return images


def extractor_settings(arm: Arm, *, seed: int, backbone: Backbone = "nature") -> dict[str, Any]:
    """Return `features_extractor_kwargs` for an arm.

    Args:
        arm: The arm; that only the actor sees coordinates is the policy's business.
        seed: The run's seed: it fixes the permutation of the `shuffled` arm.
        backbone: The convolutional network.
    """
    return {
        "backbone": backbone,
        "coords": arm.coords,
        "radius": arm.radius,
        "shuffle_seed": seed if arm.shuffled else None,
    }


def parameter_counts(policy: nn.Module) -> dict[str, int]:
    """Count a policy's parameters: all, the extractors' and those that weigh coordinates.

    Returns:
        Counts under the keys "total", "extractor" and "coordinates"; shared ones count once.
    """
    extractors = [m for m in policy.modules() if isinstance(m, BaseFeaturesExtractor)]
    inside = {id(p): p.numel() for module in extractors for p in module.parameters()}
    layers = [m for m in policy.modules() if isinstance(m, CoordConv2d)]
    return {
        "total": sum(p.numel() for p in policy.parameters()),
        "extractor": sum(inside.values()),
        "coordinates": sum(layer.coord_weight.numel() for layer in layers),
    }
