"""Feature extractors for Stable-Baselines3: the arms of a comparison in plain `policy_kwargs`.

SB3 adds two layers of 64 units behind any extractor that is not its own `NatureCNN`; pass
`net_arch=[]` in `policy_kwargs` for the network of Mnih et al. 2015 (`CoordConvPolicy` does).
"""

from __future__ import annotations

import importlib
from typing import Any

import torch
from gymnasium import spaces
from stable_baselines3.common.preprocessing import get_flattened_obs_dim, is_image_space
from stable_baselines3.common.torch_layers import (
    BaseFeaturesExtractor,
    CombinedExtractor,
    NatureCNN,
)
from torch import nn

from coordconv_rl.arms import Arm, Backbone, Coords, Head
from coordconv_rl.errors import InputError, as_integer
from coordconv_rl.layers import CoordConv2d
from coordconv_rl.sb3.backbones import BACKBONES, FEATURES, check_image, convolution_factory
from coordconv_rl.sb3.heads import check_maps, head_modules


class CoordConvExtractor(NatureCNN):
    """Features of images by a convolutional network that may know where it looks.

    Convolutions (`backbone`), then a vector made of their maps (`head`), then a linear layer with
    ReLU. With `coords="none"` and the other defaults this is SB3's `NatureCNN`: the same parameter
    names, the same weights from the same seed and the same outputs. It is a subclass so that SB3
    passes `normalized_image` to it as well.

    Parameters on Atari's 4x84x84 ("minatar": MinAtar's Breakout, 4x10x10) with the default
    `features_dim`, without coordinates:

    | backbone | convolutions | flatten | pool | spatial-softmax |
    |---|---|---|---|---|
    | nature | 77,984 | 1,684,128 | 111,264 | 144,033 |
    | impala | 97,744 | 2,080,720 | 114,640 | 131,025 |
    | minatar | 592 | 131,792 | 2,768 | 4,817 |

    Coordinates in the first convolution add 4,096, 288 and 288 weights, half as many again with
    the radius, and in all convolutions 7,296, 7,200 and 288.

    Args:
        observation_space: Images (channels, height, width), uint8 in [0, 255]; with SB3's
            `normalize_images=False` of any type and range, such as zeros and ones.
        features_dim: Number of features; by default 512, and 128 for "minatar".
        backbone: "nature" (Mnih et al. 2015), "impala" (Espeholt et al. 2018, large) or "minatar"
            (Young and Tian 2019).
        coords: Which convolutions get coordinates: "first", "all", "none" or indices.
        radius: Whether the distance from the centre is a third coordinate channel.
        shuffle_seed: If given, coordinates sit at pixels permuted once by this seed (the control).
        normalized_image: Whether images are already scaled (SB3's `normalize_images=False`).
        head: "flatten" (as SB3), "pool" or "spatial-softmax"; see `heads`.

    Raises:
        InputError: If the space holds no such images, or an option does not exist.
    """

    def __init__(
        self,
        observation_space: spaces.Box,
        features_dim: int | None = None,
        backbone: Backbone = "nature",
        coords: Coords = "first",
        radius: bool = False,
        shuffle_seed: int | None = None,
        normalized_image: bool = False,
        *,
        head: Head = "flatten",
    ) -> None:
        """Check the options, then build in SB3's order, so that seeds give SB3's weights."""
        convolution = convolution_factory(backbone, coords, radius, shuffle_seed)
        modules = head_modules(head)
        check_image(observation_space, backbone, normalized_image=normalized_image)
        features = _features(features_dim, backbone)
        BaseFeaturesExtractor.__init__(self, observation_space, features)
        self.backbone = backbone
        self.head = head
        maps = nn.Sequential(*BACKBONES[backbone](observation_space.shape[0], convolution))
        with torch.no_grad():
            image = maps(torch.zeros(1, *observation_space.shape))
            check_maps(head, image)
            flat = nn.Sequential(*modules)(image).shape[1]
        self.cnn = nn.Sequential(*maps, *modules)
        self.linear = nn.Sequential(nn.Linear(flat, features), nn.ReLU())


def _features(asked: int | None, backbone: Backbone) -> int:
    """Return how many features there are to be."""
    if asked is None:
        return FEATURES[backbone]
    if (features := as_integer("features_dim", asked)) < 1:
        raise InputError(f"features_dim is {features}: it must be at least 1")
    return features


class CoordConvCombinedExtractor(CombinedExtractor):
    """Features of Dict observations: images by `CoordConvExtractor`, the rest flattened.

    Args:
        observation_space: A Dict with at least one image.
        cnn_output_dim: Number of features of each image; None for the backbone's own, as in
            `CoordConvExtractor`.
        backbone: As in `CoordConvExtractor`, and so are all arguments below.
        coords: Which convolutions get coordinates.
        radius: Whether the distance from the centre is a third coordinate channel.
        shuffle_seed: Seed of the control's permutation of pixels.
        normalized_image: Whether images are already scaled.
        head: What becomes of the last feature maps.

    Raises:
        InputError: If the space is no Dict, or none of its entries is an image.
    """

    def __init__(
        self,
        observation_space: spaces.Dict,
        cnn_output_dim: int | None = 256,
        backbone: Backbone = "nature",
        coords: Coords = "first",
        radius: bool = False,
        shuffle_seed: int | None = None,
        normalized_image: bool = False,
        *,
        head: Head = "flatten",
    ) -> None:
        """Build an extractor for each image, in the order of the space's keys as SB3 does."""
        images = _image_keys(observation_space, normalized_image)
        BaseFeaturesExtractor.__init__(self, observation_space, features_dim=1)
        self.extractors = nn.ModuleDict()
        sizes = []
        for key, space in observation_space.spaces.items():
            if key in images:
                self.extractors[key] = image = CoordConvExtractor(
                    images[key], cnn_output_dim, backbone, coords, radius, shuffle_seed,
                    normalized_image, head=head,
                )  # fmt: skip
                sizes.append(image.features_dim)
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


def extractor_settings(
    arm: Arm, *, seed: int, backbone: Backbone = "nature", head: Head = "flatten"
) -> dict[str, Any]:
    """Return `features_extractor_kwargs` for an arm.

    Args:
        arm: The arm; that only the actor sees coordinates is the policy's business.
        seed: The run's seed: it fixes the permutation of the `shuffled` arm.
        backbone: The convolutions, where the arm has none of its own.
        head: The head, where the arm has none of its own.
    """
    if arm.extractor is not None:
        return dict(arm.kwargs)
    return {
        "backbone": arm.backbone or backbone,
        "coords": arm.coords,
        "radius": arm.radius,
        "shuffle_seed": seed if arm.shuffled else None,
        "head": arm.head or head,
    }


def extractor_class(arm: Arm) -> type[BaseFeaturesExtractor]:
    """Return the `features_extractor_class` of an arm.

    An arm with an extractor of the user's own imports that module, which runs its code: call this
    only for arms that the user wrote or trusts.

    Raises:
        InputError: If there is no such class, or it is no features extractor of SB3.
    """
    if arm.extractor is None:
        return CoordConvExtractor
    module, _, name = arm.extractor.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"cannot import the extractor {arm.extractor}: {error}; is its folder installed, or in "
            "PYTHONPATH?"
        ) from error
    except Exception as error:  # the module's own, of whatever kind
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise InputError(
            f"cannot import the extractor {arm.extractor}: {reason}; try python -m {module}"
        ) from error
    if not (isinstance(found, type) and issubclass(found, BaseFeaturesExtractor)):
        raise InputError(
            f"the extractor {arm.extractor} is no subclass of stable_baselines3's "
            "BaseFeaturesExtractor: derive it from that class"
        )
    return found


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
