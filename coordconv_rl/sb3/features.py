"""Features by calling the extractor, as SB3 does, and the gate to computing them faster."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import stable_baselines3
import torch
from gymnasium import spaces
from stable_baselines3.common import policies
from stable_baselines3.common.policies import BaseModel
from stable_baselines3.common.preprocessing import is_image_space, preprocess_obs
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.type_aliases import PyTorchObs
from torch import Tensor, nn

from coordconv_rl.errors import InputError
from coordconv_rl.fast import (
    Computation,
    KnownLayers,
    LazyImages,
    Observations,
    StepsAside,
    are_original,
    check_untouched,
    detect_precision,
    is_exporting,
    known_layers,
)
from coordconv_rl.layers import CoordConv2d
from coordconv_rl.sb3.extractors import CoordConvExtractor


def _preparation() -> tuple[object, ...]:
    return vars(policies)["preprocess_obs"], BaseModel.extract_features


_OWN_PREPARATION = _preparation() if are_original(_preparation(), stable_baselines3) else None
_FORWARD: Callable[..., Any] = CoordConvExtractor.forward


def describe(obs: PyTorchObs) -> Observations:
    """Return what the gate asks of observations.

    Raises:
        StepsAside: They are no plain tensor.
    """
    if type(obs) is LazyImages:
        return obs.kind
    if type(obs) is not Tensor or obs.layout != torch.strided:
        raise StepsAside(f"observations are a {type(obs).__name__}")
    return Observations(obs.shape, obs.dtype, obs.device)


def layers_of(extractor: nn.Module, images: Observations) -> KnownLayers:
    """Return the layers of an extractor that is ours and as it was written.

    Raises:
        StepsAside: Something is not known.
    """
    if _preparation() != _OWN_PREPARATION:
        raise StepsAside("how SB3's policies prepare observations was changed")
    if type(extractor) is not CoordConvExtractor:
        raise StepsAside(f"the features extractor is a {type(extractor).__name__}")
    layers = known_layers(extractor.cnn, extractor.linear, images)
    check_untouched(extractor, _FORWARD)
    return layers


def plain_features(
    policy: Any, extractor: BaseFeaturesExtractor, obs: PyTorchObs, *, blind: bool
) -> Tensor:
    """Compute features by calling the extractor, in the policy's precision.

    Args:
        policy: A `CoordConvPolicy`.
        extractor: One of its extractors.
        obs: What it is to see.
        blind: Whether coordinates are left out.
    """
    if isinstance(obs, LazyImages):
        obs = obs.images()
    sight = _without_coordinates(extractor) if blind else nullcontext()
    if _preparation() != _OWN_PREPARATION:
        with _autocast(extractor, policy), sight:
            return _in_float32(BaseModel.extract_features(policy, obs, extractor))
    if isinstance(obs, Tensor) and isinstance(policy.observation_space, spaces.Box):
        # As `preprocess_obs` does, without looking at all of the space's bounds in every pass.
        inputs: Any = obs.float() / 255.0 if are_divided(policy) else obs.float()
    else:
        inputs = preprocess_obs(obs, policy.observation_space, policy.normalize_images)
    with _autocast(extractor, policy), sight:
        return _in_float32(extractor(inputs))


def _in_float32(features: Tensor) -> Tensor:
    """Return features in float32 where they are bfloat16; what is no tensor stays as it is."""
    is_rounded = isinstance(features, Tensor) and features.dtype == torch.bfloat16
    return features.float() if is_rounded else features


def are_divided(policy: Any) -> bool:
    """Tell whether the policy's observations are images that SB3 divides by 255.

    Spaces do not change, and asking takes as long as a small layer: so each is asked once.
    """
    space = policy.observation_space
    known = policy.__dict__.get("_space_seen")
    if known is None or known[0] is not space:
        known = policy._space_seen = (space, is_image_space(space))
    return bool(policy.normalize_images and known[1])


def computation_of(policy: Any, images: Observations, *, blind: bool) -> Computation:
    """Return how a policy's network computes on images where its weights are too.

    Args:
        policy: A `CoordConvPolicy`.
        images: What the gate has seen.
        blind: Whether coordinates are left out.
    """
    precision = detect_precision(policy.precision, images.device)
    scale = 1 / 255 if are_divided(policy) else 1.0
    return Computation(images.shape[2:], getattr(torch, precision), scale, blind)


def has_coordinates(extractor: nn.Module) -> bool:
    """Tell whether a layer of the extractor weighs coordinates."""
    return any(isinstance(module, CoordConv2d) for module in extractor.modules())


@contextmanager
def _without_coordinates(extractor: nn.Module) -> Iterator[None]:
    """Let this thread leave out coordinates; others may see them meanwhile.

    Raises:
        InputError: A weight is computed from others, by pruning or a parametrization.
    """
    layers = [m for m in extractor.modules() if isinstance(m, CoordConv2d)]
    if any(layer._parameters.get("coord_weight") is None for layer in layers):
        raise InputError(
            "coordinates_for='actor' cannot leave out coordinates whose weights are pruned or "
            "parametrized: make that permanent, or take coordinates_for='shared'"
        )
    blind = [vars(layer).setdefault("_blind_in", set()) for layer in layers]
    thread = threading.get_ident()
    try:
        for threads in blind:
            threads.add(thread)
        yield
    finally:
        for threads in blind:
            threads.discard(thread)


def _autocast(extractor: nn.Module, policy: Any) -> AbstractContextManager[Any]:
    """Return the arithmetic of plain features: float32 for exports and quantised modules.

    Where the policy computes in float32, an autocast of the caller's is left as it is.
    """
    device = policy.device
    if detect_precision(policy.precision, device) == "float32" or is_exporting():
        return nullcontext()
    if any(type(m).__module__.startswith("torch.ao.nn") for m in extractor.modules()):
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16)
