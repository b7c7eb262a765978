"""Turn the convolutions of an existing model into CoordConv without changing what it computes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd
from torch.nn.modules.lazy import LazyModuleMixin

from coordconv_rl.errors import InputError
from coordconv_rl.layers import (
    CoordConv1d,
    CoordConv2d,
    CoordConv3d,
    CoordConvTranspose2d,
    _CoordConvNd,
)
from coordconv_rl.sb3_models import is_sb3_model, policy_of, record_for_loading

Layers = Literal["first", "all"] | Sequence[int]

COORDCONV_OF: dict[type[_ConvNd], type[_CoordConvNd]] = {
    nn.Conv1d: CoordConv1d,
    nn.Conv2d: CoordConv2d,
    nn.Conv3d: CoordConv3d,
    nn.ConvTranspose2d: CoordConvTranspose2d,
}


@dataclass(frozen=True, eq=False)
class Conversion:
    """What `add_coordinates` did.

    Attributes:
        changed: Names of the convolutions that have coordinates now.
        parameters: Their new parameters, in the same order, all zero. Hand them to the optimizer
            of a plain torch model; an SB3 model's optimizer has them already.
        skipped: Names of the convolutions that could not be changed, with the reason.
    """

    changed: tuple[str, ...]
    parameters: tuple[nn.Parameter, ...]
    skipped: dict[str, str] = field(default_factory=dict)

    @property
    def added(self) -> int:
        """Number of new scalar weights."""
        return sum(parameter.numel() for parameter in self.parameters)

    def __str__(self) -> str:
        lines = [f"coordinates added to {', '.join(self.changed)}: {self.added} new weights"]
        lines += [f"left as it was: {name} ({reason})" for name, reason in self.skipped.items()]
        return "\n".join(lines)


def add_coordinates(model: Any, layers: Layers = "first", radius: bool = False) -> Conversion:
    """Give coordinates to convolutions of a model, in place; it computes the same as before.

    The layers stay the same objects with the same parameters, hooks, device, type, memory format
    and mode; each gains `coord_weight`, zero at first, which trains like its `weight`. The new
    parameters join the optimizer of an SB3 model, its target networks change too, and where its
    features come from SB3's `NatureCNN` (alone or in `CombinedExtractor`) or from this package's
    extractors, its `save` and `load` go on working.

    Args:
        model: Any `torch.nn.Module`, or an SB3 model, or its policy.
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
    networks = _extractors(root) if is_sb3_model(model) else [("", root)]
    chosen, skipped = _choose(networks, layers)
    if not chosen:
        found = "; ".join(f"{name} {reason}" for name, reason in skipped.items())
        raise InputError(
            f"nothing to change in {type(root).__name__}: {found or 'it has no convolution'}"
        )
    optimizers = list(_optimizers(root))
    for conv in chosen.values():
        _give_coordinates(conv, radius)
        _join_optimizers(conv, optimizers)
    if is_sb3_model(model):
        record_for_loading(model, [network for _, network in networks])
    parameters = tuple(conv.get_parameter("coord_weight") for conv in chosen.values())
    return Conversion(tuple(chosen), parameters, skipped)


def _extractors(policy: nn.Module) -> list[tuple[str, nn.Module]]:
    """Find a policy's networks of images: the innermost modules with features and convolutions."""
    found = [
        (name, module)
        for name, module in policy.named_modules()
        if hasattr(module, "features_dim") and _convolutions(module)
    ]
    around = {id(m) for _, outer in found for _, m in found if m is not outer and _holds(m, outer)}
    return [(name, module) for name, module in found if id(module) not in around] or [("", policy)]


def _holds(outer: nn.Module, inner: nn.Module) -> bool:
    return any(module is inner for module in outer.modules())


def _convolutions(network: nn.Module) -> list[tuple[str, _ConvNd]]:
    return [(n, module) for n, module in network.named_modules() if isinstance(module, _ConvNd)]


def _choose(
    networks: list[tuple[str, nn.Module]], layers: Layers
) -> tuple[dict[str, _ConvNd], dict[str, str]]:
    """Return the convolutions to change and, with reasons, those that "all" must leave out."""
    chosen: dict[str, _ConvNd] = {}
    skipped: dict[str, str] = {}
    for prefix, network in networks:
        convolutions = _convolutions(network)
        for index in _indices(layers, len(convolutions)):
            inner, conv = convolutions[index]
            name = ".".join(part for part in (prefix, inner) if part) or type(conv).__name__
            reason = _reason_against(conv)
            if reason is None:
                chosen[name] = conv
            elif layers == "all":
                skipped[name] = reason
            else:
                raise InputError(f"cannot add coordinates to {name}: it {reason}")
    return chosen, skipped


def _indices(layers: Layers, count: int) -> list[int]:
    """Resolve a choice of layers to indices below `count`."""
    if layers == "all":
        return list(range(count))
    if layers == "first":
        return list(range(min(count, 1)))
    wanted: list[Any] = list(layers)
    if not wanted or len(set(wanted)) < len(wanted) or any(type(i) is not int for i in wanted):
        raise InputError(
            f'layers must be "first", "all" or different whole numbers, found {layers!r}'
        )
    outside = [index for index in wanted if not 0 <= index < count]
    if outside:
        raise InputError(
            f"no convolution has index {outside[0]}: the network has {count}, counted from 0"
        )
    return sorted(wanted)


def _reason_against(conv: _ConvNd) -> str | None:
    """Say why a convolution cannot be converted, or None if it can."""
    if isinstance(conv, _CoordConvNd):
        return "has coordinates already"
    if isinstance(conv, LazyModuleMixin):
        return "is lazy and has no weights yet: run the model on one input first"
    if type(conv) not in COORDCONV_OF:
        names = ", ".join(kind.__name__ for kind in COORDCONV_OF)
        return f"is a {type(conv).__name__}, and only {names} themselves can be converted"
    if conv.groups != 1:
        return f"is grouped (groups={conv.groups}), and coordinates belong to every group"
    return None


def _give_coordinates(conv: Any, radius: bool) -> None:
    """Change the class in place, so that every reference to the layer sees the new one."""
    conv.__class__ = COORDCONV_OF[type(conv)]
    conv._give_coordinates(radius, None)
    weight = conv.weight
    if weight.dim() == 4 and not weight.is_contiguous():
        added = conv.coord_weight.data
        conv.coord_weight.data = added.contiguous(memory_format=torch.channels_last)
    conv.coord_weight.requires_grad_(weight.requires_grad)


def _optimizers(root: nn.Module) -> Iterator[torch.optim.Optimizer]:
    for module in root.modules():
        for value in vars(module).values():
            if isinstance(value, torch.optim.Optimizer):
                yield value


def _join_optimizers(conv: _ConvNd, optimizers: Iterable[torch.optim.Optimizer]) -> None:
    """Put the new parameter behind the layer's own, where a newly built optimizer would have it.

    A saved optimizer's state goes by position, so only this order loads into a rebuilt model.
    """
    own = (conv.weight, conv.bias)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            places = [i for i, p in enumerate(group["params"]) if any(p is q for q in own)]
            if not places:
                continue
            group["params"].insert(places[-1] + 1, conv.get_parameter("coord_weight"))
            if "param_names" in group:
                prefix = group["param_names"][places[-1]].rpartition(".")[0]
                group["param_names"].insert(places[-1] + 1, f"{prefix}.coord_weight".lstrip("."))
