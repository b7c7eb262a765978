"""The gate of the fast path: the known layers of a network, or the reason why it steps aside.

The fast path computes what the modules would, without calling them. So before it does, everything
that it relies on is looked at: types, geometry, hooks, parameters and observations. That takes
tens of microseconds and is done for every pass, because users change networks whenever they like.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import torch
from torch import Tensor, nn

from coordconv_rl.fast.interception import RECORDS, are_original, intercepted_by
from coordconv_rl.layers import CoordConv2d

KERNELS, STRIDES = (8, 4, 3), (4, 2, 1)  # Mnih et al. 2015, Methods, "Model architecture"
DEVICES = ("cpu", "cuda")  # types on which the kernels here were written to run

_WEIGHTS = ("weight", "bias", "coord_weight")

_SHADOWS = frozenset(
    {"forward", "_conv_forward", "_convolve", "_call_impl", "coordinate_map", *_WEIGHTS}
)
"""Names that, as attributes of a module itself, hide the method or parameter of its class."""


def _original(kind: type[nn.Module], name: str) -> Callable[..., Any] | None:
    """Return a type's method; None, which no method is, if it was changed before this import."""
    method: Callable[..., Any] = getattr(kind, name)
    return method if are_original([method]) else None


_CALLS = tuple((name, _original(nn.Module, name)) for name in ("__call__", "_call_impl"))

_METHODS: dict[type[nn.Module], tuple[tuple[str, Callable[..., Any] | None], ...]] = {
    kind: (*_CALLS, *((name, _original(kind, name)) for name in ("forward", *names)))
    for kind, names in {
        nn.Sequential: (),
        nn.Conv2d: ("_conv_forward",),
        CoordConv2d: ("_conv_forward", "_convolve", "coordinate_map"),
        nn.ReLU: (),
        nn.AdaptiveAvgPool2d: (),
        nn.Flatten: (),
        nn.Linear: (),
    }.items()
}
"""The known types, with the methods that they had when this module was imported."""


class StepsAside(Exception):
    """The fast path does not know something: the message says what."""


@dataclass(frozen=True, eq=False)
class KnownLayers:
    """The layers of a Nature network of which everything is known.

    Attributes:
        convolutions: Three, each followed by a ReLU; kernels `KERNELS`, strides `STRIDES`.
        linear: The layer behind them, followed by a ReLU.
        is_pooled: Whether the third output is averaged over its positions before `linear`.
    """

    convolutions: tuple[nn.Conv2d, ...]
    linear: nn.Linear
    is_pooled: bool

    @property
    def weights(self) -> list[Tensor]:
        """All parameters that outputs depend on, in the order of the modules."""
        layers = (*self.convolutions, self.linear)
        found = (layer._parameters.get(name) for layer in layers for name in _WEIGHTS)
        return [parameter for parameter in found if parameter is not None]

    @property
    def shuffle_seeds(self) -> tuple[int | None, ...]:
        """What outputs depend on beside parameters: which coordinates each convolution sees."""
        return tuple(
            conv.shuffle_seed if type(conv) is CoordConv2d else None for conv in self.convolutions
        )


@dataclass(frozen=True)
class Observations:
    """What the gate asks of observations: all but their pixels."""

    shape: torch.Size
    dtype: torch.dtype
    device: torch.device


def known_layers(cnn: nn.Module, head: nn.Module, images: Observations) -> KnownLayers:
    """Look at a network and at what it is to be given.

    Args:
        cnn: Convolutions, ReLUs, optionally a global average pool, and Flatten.
        head: The linear layer and its ReLU.
        images: uint8, (N, C, H, W).

    Raises:
        StepsAside: Something is not as the fast path has to have it.
    """
    if torch.compiler.is_compiling():  # it cannot follow what comes
        raise StepsAside(RECORDS)
    inner, outer = _children(cnn), _children(head)
    is_pooled = len(inner) == 8 and type(inner[6]) is nn.AdaptiveAvgPool2d
    pool = [nn.AdaptiveAvgPool2d] if is_pooled else []
    _check_types(inner, [*[nn.Conv2d, nn.ReLU] * 3, *pool, nn.Flatten])
    _check_types(outer, [nn.Linear, nn.ReLU])
    if (found := intercepted_by(images.device)) is not None:
        raise StepsAside(found)
    for module in (cnn, head, *inner, *outer):
        check_untouched(module)
    if is_pooled and inner[6].output_size not in (1, (1, 1)):
        raise StepsAside(f"the pool's output size is {inner[6].output_size}")
    if (inner[-1].start_dim, inner[-1].end_dim) != (1, -1):
        raise StepsAside(f"the network has a {inner[-1]}")
    layers = KnownLayers((inner[0], inner[2], inner[4]), outer[0], is_pooled)
    _check_shapes(layers, images)
    return layers


def check_untouched(module: nn.Module, forward: Callable[..., Any] | None = None) -> None:
    """Make sure that calling a module runs its class' own `forward` and nothing else.

    Args:
        module: Of a known type, unless `forward` is given.
        forward: The method that its class should have.

    Raises:
        StepsAside: There are hooks, a compiled call, or another `forward`.
    """
    kind, own = type(module), module.__dict__
    if (
        module._forward_hooks
        or module._forward_pre_hooks
        or module._backward_hooks
        or module._backward_pre_hooks
    ):
        raise StepsAside(f"{kind.__name__} has hooks")
    if module._compiled_call_impl is not None:
        raise StepsAside(f"{kind.__name__} is compiled")
    if not own.keys().isdisjoint(_SHADOWS):
        raise StepsAside(f"{kind.__name__} was changed: {_SHADOWS & own.keys()}")
    for name, method in _METHODS[kind] if forward is None else (*_CALLS, ("forward", forward)):
        if getattr(kind, name) is not method:
            raise StepsAside(f"{kind.__name__} has other methods than it was written with")


def _children(module: nn.Module) -> list[Any]:
    if type(module) is not nn.Sequential:
        raise StepsAside(f"found a {type(module).__name__} where a Sequential should be")
    return list(module._modules.values())


def _check_types(modules: Sequence[nn.Module], expected: Sequence[type[nn.Module]]) -> None:
    """Raise unless the modules are of exactly these types; a convolution may be a CoordConv2d."""
    found = [nn.Conv2d if type(m) is CoordConv2d else type(m) for m in modules]
    if found != list(expected):
        pairs = zip_longest(modules, expected)
        index, (module, kind) = next(
            (i, pair) for i, pair in enumerate(pairs) if i >= len(found) or found[i] is not pair[1]
        )
        name, wanted = type(module).__name__, f"a {kind.__name__}" if kind else "none"
        raise StepsAside(f"module {index} of the network is a {name}, where NatureCNN has {wanted}")


def _check_shapes(layers: KnownLayers, images: Observations) -> None:
    """Raise unless parameters and images fit each other and are what the kernels here take."""
    if images.dtype != torch.uint8 or len(images.shape) != 4 or not images.shape[0]:
        raise StepsAside(f"observations are {images.dtype} of shape {tuple(images.shape)}")
    if images.device.type not in DEVICES:
        raise StepsAside(f"the device is {images.device}")
    channels, *size = images.shape[1:]
    for conv, kernel, stride in zip(layers.convolutions, KERNELS, STRIDES, strict=True):
        _check_convolution(conv, kernel, stride)
        shape = (conv.out_channels, channels, kernel, kernel)
        _check_parameter(conv, "weight", shape, images.device)
        _check_parameter(conv, "bias", shape[:1], images.device)
        if type(conv) is CoordConv2d:
            coordinates = (shape[0], 2 + conv.radius, kernel, kernel)
            _check_parameter(conv, "coord_weight", coordinates, images.device)
        channels, size = shape[0], [(length - kernel) // stride + 1 for length in size]
    if min(size) < 1:
        raise StepsAside(f"images of {tuple(images.shape[2:])} pixels are too small")
    inputs = channels if layers.is_pooled else channels * size[0] * size[1]
    _check_parameter(layers.linear, "weight", (layers.linear.out_features, inputs), images.device)
    _check_parameter(layers.linear, "bias", (layers.linear.out_features,), images.device)


def _check_convolution(conv: nn.Conv2d, kernel: int, stride: int) -> None:
    """Raise unless a convolution has the known geometry: no padding, dilation or groups."""
    if (
        (conv.kernel_size, conv.stride, conv.padding, conv.dilation, conv.groups)
        != ((kernel, kernel), (stride, stride), (0, 0), (1, 1), 1)
        or conv.padding_mode != "zeros"
    ):  # fmt: skip
        raise StepsAside(f"a convolution has another geometry: {conv.extra_repr()}")  # type: ignore[no-untyped-call]


def _check_parameter(
    module: nn.Module, name: str, shape: tuple[int, ...], device: torch.device
) -> None:
    """Raise unless a module's parameter is a plain float32 one of its own."""
    parameter = module._parameters.get(name)
    kind = type(module).__name__
    if type(parameter) is not nn.Parameter:
        found = "missing" if parameter is None else f"a {type(parameter).__name__}"
        raise StepsAside(f"{kind}.{name} is {found}")
    if parameter.dtype != torch.float32 or parameter.shape != shape:
        raise StepsAside(f"{kind}.{name} is {parameter.dtype} of shape {tuple(parameter.shape)}")
    if parameter.device != device or parameter.layout != torch.strided:
        raise StepsAside(f"{kind}.{name} is on {parameter.device} ({parameter.layout})")
    if parameter.is_inference():
        raise StepsAside(f"{kind}.{name} was made in inference mode")
