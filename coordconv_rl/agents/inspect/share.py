"""How much of a layer's output comes from coordinates, on frames of the agent's own games."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from stable_baselines3.common.preprocessing import preprocess_obs
from torch import Tensor
from torch.nn import functional as F

from coordconv_rl.agents.build import Model
from coordconv_rl.layers import CoordConv2d


def share_of(
    model: Model, layer: CoordConv2d, observations: Tensor
) -> tuple[float, np.ndarray[Any, np.dtype[np.float32]]]:
    """Return `first_layer_share` of an agent's layer on observations of its games."""
    return first_layer_share(layer, layer_inputs(model, layer, observations))


def layer_inputs(model: Model, layer: CoordConv2d, observations: Tensor) -> Tensor:
    """Return what a layer of the agent's extractor sees of observations, shape (N, C', H', W').

    Args:
        model: The agent.
        layer: One of its layers: the images' own layer, or one behind others.
        observations: Shape (N, C, H, W), as the environment gives them.
    """
    seen: list[Tensor] = []
    hook = layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    policy = model.policy
    try:
        with torch.no_grad():
            images = preprocess_obs(
                observations.to(policy.device),
                policy.observation_space,
                normalize_images=policy.normalize_images,
            )
            policy.features_extractor(images)
    finally:
        hook.remove()
    return seen[0]


def first_layer_share(
    layer: CoordConv2d, inputs: Tensor
) -> tuple[float, np.ndarray[Any, np.dtype[np.float32]]]:
    """Return how much of a layer's output varies because of coordinates.

    The output before its activation is a sum: the convolution of the image, and a map that comes
    from coordinates alone. Their variances, over observations and positions, are added up over the
    layer's channels.

    Args:
        layer: The network's first layer with coordinates.
        inputs: What it sees, shape (N, C, H, W).

    Returns:
        The map's variance over the sum of both, 0 to 1; and the map's root mean square over
        channels at each position, shape (H', W'), each channel's mean taken out.
    """
    size = inputs.shape[2:]
    with torch.no_grad():
        images = inputs.to(layer.weight.device, layer.weight.dtype)
        seen = F.conv2d(
            images, layer.weight, None, layer.stride, layer.padding, layer.dilation, layer.groups
        )  # fmt: skip
        told = layer.coordinate_map(size).to(seen.dtype)
        told = told - told.mean(dim=(2, 3), keepdim=True)
        from_image = seen.var(dim=(0, 2, 3), unbiased=False).sum()
        from_coordinates = told.square().mean(dim=(0, 2, 3)).sum()
        total = float(from_image + from_coordinates)
        heat = told[0].square().mean(dim=0).sqrt()
    share = float(from_coordinates) / total if total > 0 else 0.0
    return share, heat.float().cpu().numpy()
