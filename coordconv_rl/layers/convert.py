"""Turn the convolutions of an existing model into CoordConv without changing what it computes."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd
from torch.nn.modules.lazy import LazyModuleMixin

from coordconv_rl.errors import InputError
from coordconv_rl.layers.base import CoordConvNd
from coordconv_rl.layers.convolutions import (
    CoordConv1d,
    CoordConv2d,
    CoordConv3d,
    CoordConvTranspose2d,
)

LayerChoice = Literal["first", "all"] | Sequence[int]
"""Which convolutions of a network: the first, all, or those at the indices."""

COORDCONV_OF: dict[type[_ConvNd], type[CoordConvNd]] = {
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


def give_coordinates(
    networks: Sequence[tuple[str, nn.Module]],
    layers: LayerChoice = "first",
    radius: bool = False,
    optimizers: Iterable[torch.optim.Optimizer] = (),
) -> Conversion:
    """Give coordinates to convolutions of networks, in place; they compute the same as before.

    Args:
        networks: Each network by the prefix of its layers' names; an index in `layers` counts
            within each network.
        layers: "first", "all", or indices among a network's convolutions in the order of its
            modules. "all" leaves out those that cannot be converted.
        radius: Whether the distance from the centre is one more coordinate.
        optimizers: Optimizers that hold the layers' weights: the new parameters join them.

    Returns:
        The changes; `changed` is empty where there was nothing to change.

    Raises:
        InputError: A chosen layer cannot be changed. Nothing has been changed then.
    """
    chosen, skipped = _choose(networks, layers)
    joined = tuple(optimizers)
    for conv in chosen.values():
        _give_coordinates(conv, radius)
        _join_optimizers(conv, joined)
    parameters = tuple(conv.get_parameter("coord_weight") for conv in chosen.values())
    return Conversion(tuple(chosen), parameters, skipped)


def convolutions_of(network: nn.Module) -> list[tuple[str, _ConvNd]]:
    """Return a network's convolutions by name, in the order of its modules."""
    return [(n, module) for n, module in network.named_modules() if isinstance(module, _ConvNd)]


def _choose(
    networks: Sequence[tuple[str, nn.Module]], layers: LayerChoice
) -> tuple[dict[str, _ConvNd], dict[str, str]]:
    """Return the convolutions to change and, with reasons, those that "all" must leave out."""
    chosen: dict[str, _ConvNd] = {}
    skipped: dict[str, str] = {}
    for prefix, network in networks:
        convolutions = convolutions_of(network)
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


def _indices(layers: LayerChoice, count: int) -> list[int]:
    """Resolve a choice of layers to indices below `count`."""
    if layers == "all":
        return list(range(count))
    if layers == "first":
        return list(range(min(count, 1)))
    numbers = [i for i in layers if hasattr(i, "__index__") and not isinstance(i, bool)]
    wanted = [operator.index(i) for i in numbers]
    if not wanted or len(wanted) < len(layers) or len(set(wanted)) < len(wanted):
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
    if isinstance(conv, CoordConvNd):
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


def _join_optimizers(conv: _ConvNd, optimizers: Iterable[torch.optim.Optimizer]) -> None:
    """Put the new parameter behind the layer's own, where a newly built optimizer would have it.

    A saved optimizer's state goes by position, so only this order loads into a rebuilt model. It
    belongs to the group of `weight` (or what that is made of), where the bias has another.
    """
    own = [p for n, p in conv.named_parameters(recurse=False) if n != "coord_weight"]
    wanted = {id(p) for p in own if p is not conv.bias}
    for optimizer in {id(one): one for one in optimizers}.values():
        for group in optimizer.param_groups:
            places = [i for i, p in enumerate(group["params"]) if any(p is q for q in own)]
            if not any(id(p) in wanted for p in group["params"]):
                continue
            group["params"].insert(places[-1] + 1, conv.get_parameter("coord_weight"))
            if "param_names" in group:
                prefix = group["param_names"][places[-1]].rpartition(".")[0]
                group["param_names"].insert(places[-1] + 1, f"{prefix}.coord_weight".lstrip("."))
            break
