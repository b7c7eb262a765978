"""What converting a Stable-Baselines3 model needs to know about it; SB3 itself is not imported."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd

logger = logging.getLogger(__name__)


def policy_of(model: Any) -> nn.Module:
    """Return the policy of an SB3 model, or the policy itself."""
    policy: nn.Module = getattr(model, "policy", model)
    return policy


def is_sb3_model(model: Any) -> bool:
    """Tell whether this is an SB3 model or policy: something that holds its optimizer."""
    policy = policy_of(model)
    return isinstance(policy, nn.Module) and (
        hasattr(policy, "features_extractor_class")
        or isinstance(getattr(policy, "optimizer", None), torch.optim.Optimizer)
    )


def record_for_loading(model: Any, extractors: Sequence[nn.Module]) -> None:
    """Make the model's settings describe it as it is now, so that SB3's `load` can rebuild it.

    SB3 rebuilds a model from `policy_kwargs` before it loads the weights. Where no extractor of
    this package has the same parameters, a warning says how to save instead.

    Args:
        model: An SB3 model or policy after conversion.
        extractors: Its networks of images.
    """
    policy = policy_of(model)
    extractor_class = _loadable_class(policy, extractors)
    options = {_options(extractor) for extractor in extractors}
    if extractor_class is None or len(options) > 1 or None in options:
        logger.warning(
            "SB3's load cannot rebuild a converted %s: save policy.state_dict(), and to load, "
            "build the model, call add_coordinates with the same arguments and load_state_dict",
            type(extractors[0]).__name__,
        )
        return
    coords, radius, shuffle_seed = next(option for option in options if option is not None)
    new = {"coords": coords, "radius": radius, "shuffle_seed": shuffle_seed}
    for module in policy.modules():
        if hasattr(module, "features_extractor_class"):
            _describe(vars(module), extractor_class, new)
    if hasattr(model, "policy_kwargs"):
        model.policy_kwargs = dict(model.policy_kwargs)  # its caller may build others from it
        _describe(model.policy_kwargs, extractor_class, new)
        if hasattr(policy, "net_arch"):  # SB3's default depends on the extractor's class
            model.policy_kwargs["net_arch"] = policy.net_arch


def _describe(settings: dict[str, Any], extractor_class: type, new: dict[str, Any]) -> None:
    old = settings.get("features_extractor_kwargs") or {}
    settings["features_extractor_class"] = extractor_class
    settings["features_extractor_kwargs"] = {**old, **new}


def _loadable_class(policy: nn.Module, extractors: Sequence[nn.Module]) -> type | None:
    """Return this package's extractor with the parameters of the policy's, or None."""
    sb3 = sys.modules.get("stable_baselines3.common.torch_layers")
    if sb3 is None:
        return None
    from coordconv_rl.extractors import CoordConvCombinedExtractor, CoordConvExtractor

    if any(type(extractor) not in (sb3.NatureCNN, CoordConvExtractor) for extractor in extractors):
        return None
    same: dict[Any, type] = {
        sb3.NatureCNN: CoordConvExtractor,
        CoordConvExtractor: CoordConvExtractor,
        sb3.CombinedExtractor: CoordConvCombinedExtractor,
        CoordConvCombinedExtractor: CoordConvCombinedExtractor,
    }
    return same.get(getattr(policy, "features_extractor_class", None))


def _options(extractor: nn.Module) -> tuple[tuple[int, ...], bool, int | None] | None:
    """Read `coords`, `radius` and `shuffle_seed` off an extractor's layers, if they agree."""
    convolutions = [module for module in extractor.modules() if isinstance(module, _ConvNd)]
    having = {i: conv for i, conv in enumerate(convolutions) if hasattr(conv, "coord_weight")}
    options: set[Any] = {(conv.radius, conv.shuffle_seed) for conv in having.values()}
    if len(options) != 1:
        return None
    return (tuple(having), *options.pop())
