"""Give coordinates to a model that is trained already: any torch module, or an SB3 model."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import torch
from stable_baselines3.common.torch_layers import CombinedExtractor, NatureCNN
from torch import nn
from torch.nn.modules.conv import _ConvNd

from coordconv_rl.errors import InputError
from coordconv_rl.layers import Conversion, LayerChoice, convolutions_of, give_coordinates
from coordconv_rl.sb3.extractors import CoordConvCombinedExtractor, CoordConvExtractor

logger = logging.getLogger(__name__)


def add_coordinates(model: Any, layers: LayerChoice = "first", radius: bool = False) -> Conversion:
    """Give coordinates to convolutions of a model, in place; it computes the same as before.

    The layers stay the same objects with the same parameters, hooks, device, type, memory format
    and mode; each gains `coord_weight`, zero at first, which trains like its `weight`. The new
    parameters join the optimizer of an SB3 model, its target networks change too, and where its
    features come from SB3's `NatureCNN` (alone or in `CombinedExtractor`) or from this package's
    extractors, its `save` and `load` go on working.

    Args:
        model: Any `torch.nn.Module`, or an SB3 model, or its policy. What the model of a policy
            saves can only be loaded if the model itself is given, whose `policy_kwargs` then say
            what became of it.
        layers: "first", "all", or indices among all convolutions in the order of the modules; in
            an SB3 model of each features extractor by itself. "all" leaves out those that cannot
            be converted (grouped, one of another class, or with coordinates already) and says so.
        radius: Whether the distance from the centre is one more coordinate.

    Returns:
        The changes; `str` of it is a summary for people.

    Raises:
        InputError: If there is nothing to change, or a chosen layer cannot be changed. Nothing has
            been changed then.
    """
    root: nn.Module = policy_of(model) if is_sb3_model(model) else model
    if not isinstance(root, nn.Module):
        raise InputError(
            f"cannot add coordinates to a {type(model).__name__}: pass a torch module or an SB3 "
            "model"
        )
    sb3 = is_sb3_model(model)
    networks = _extractors(root) if sb3 else [("", root)]
    optimizers = _optimizers(model, root)
    done = give_coordinates(networks, layers, radius, optimizers)
    if not done.changed:
        found = "; ".join(f"{name} {reason}" for name, reason in done.skipped.items())
        raise InputError(
            f"nothing to change in {type(root).__name__}: {found or 'it has no convolution'}"
        )
    if sb3:
        _say_what_does_not_train(networks, optimizers)
        record_for_loading(model, [network for _, network in networks])
    return done


def _extractors(policy: nn.Module) -> list[tuple[str, nn.Module]]:
    """Find a policy's networks of images: the innermost modules with features and convolutions."""
    found = [
        (name, module)
        for name, module in policy.named_modules()
        if hasattr(module, "features_dim") and convolutions_of(module)
    ]
    around = {
        id(m) for _, outer in found for _, m in found if m is not outer and _has_inside(m, outer)
    }
    return [(name, module) for name, module in found if id(module) not in around] or [("", policy)]


def _has_inside(outer: nn.Module, inner: nn.Module) -> bool:
    return any(module is inner for module in outer.modules())


def _optimizers(model: Any, root: nn.Module) -> list[torch.optim.Optimizer]:
    """Find the optimizers that a model or its modules hold, alone or in collections."""
    found: dict[int, torch.optim.Optimizer] = {}
    for owner in (model, *root.modules()):
        for value in vars(owner).values():
            several = value.values() if isinstance(value, dict) else value
            among = several if isinstance(value, dict | list | tuple | set) else [value]
            found |= {id(one): one for one in among if isinstance(one, torch.optim.Optimizer)}
    return list(found.values())


def _say_what_does_not_train(
    networks: Sequence[tuple[str, nn.Module]], optimizers: Sequence[torch.optim.Optimizer]
) -> None:
    """Warn of new weights that no optimizer has; a target network's are copied, not trained."""
    trained = {id(p) for one in optimizers for group in one.param_groups for p in group["params"]}
    for name, network in networks:
        new = [conv.coord_weight for conv in network.modules() if hasattr(conv, "coord_weight")]
        left = [one for one in new if one.requires_grad and id(one) not in trained]
        if left and "target" not in name:
            logger.warning(
                "no optimizer was found that trains the convolutions of %s: give it their "
                "coord_weight, or they stay zero",
                name or type(network).__name__,
            )


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
    if model is policy:
        logger.warning(
            "SB3's load cannot rebuild a model whose policy alone was converted: give "
            "add_coordinates the model, or save the policy itself"
        )
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
    if any(type(extractor) not in (NatureCNN, CoordConvExtractor) for extractor in extractors):
        return None
    same: dict[Any, type] = {
        NatureCNN: CoordConvExtractor,
        CoordConvExtractor: CoordConvExtractor,
        CombinedExtractor: CoordConvCombinedExtractor,
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
