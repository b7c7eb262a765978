"""Everything that the fast path relies on in a network, and a way to break each once."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import torch
from images import SHAPE
from stable_baselines3.common.torch_layers import NatureCNN
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations, parametrize, prune

from coordconv_rl import CoordConvExtractor
from coordconv_rl.layers import CoordConv2d

Policy = Any


class Doubling(nn.Linear):
    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return 2 * super().forward(input)


class Negating(nn.Conv2d):
    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return -super().forward(input)


class Halving(nn.Module):
    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        return weight / 2


class Marked(nn.Parameter):
    pass


@dataclass(frozen=True)
class Break:
    """A change of a policy's network.

    Attributes:
        reason: A pattern of what the log says.
        change: Changes the policy; what it returns is entered as a context.
    """

    reason: str
    change: Callable[[Policy], Any]

    @contextmanager
    def made(self, *policies: Policy) -> Iterator[None]:
        """Change policies alike; what is changed beside them is changed back."""
        with ExitStack() as stack:
            for policy in policies:
                found = self.change(policy)
                if hasattr(found, "__enter__"):
                    stack.enter_context(found)
                elif hasattr(found, "remove"):
                    stack.callback(found.remove)
            yield


def replace(index: int, make: Callable[..., nn.Module]) -> Callable[[Policy], None]:
    """Return a change of one module of the convolutions; `make` gets what was there."""

    def change(policy: Policy) -> None:
        cnn = policy.features_extractor.cnn
        torch.manual_seed(index)
        cnn[index] = make(cnn[index])

    return change


def alone(index: int, **option: Any) -> Callable[[Policy], None]:
    """Replace one convolution by one with another value of one option; the linear layer follows."""

    def change(policy: Policy) -> None:
        extractor = policy.features_extractor
        old = extractor.cnn[index]
        torch.manual_seed(index)
        settings = {"kernel_size": old.kernel_size, "stride": old.stride, **option}
        extractor.cnn[index] = type(old)(old.in_channels, old.out_channels, **settings)
        with torch.no_grad():
            features = extractor.cnn(torch.zeros(1, *SHAPE)).shape[1]
        extractor.linear[0] = nn.Linear(features, 512)

    return change


def without(*indices: int) -> Callable[[Policy], None]:
    def change(policy: Policy) -> None:
        extractor = policy.features_extractor
        kept = [m for index, m in enumerate(extractor.cnn) if index not in indices]
        extractor.cnn = nn.Sequential(*kept)

    return change


def pooled(size: Any, features: int) -> Callable[[Policy], None]:
    def change(policy: Policy) -> None:
        extractor = policy.features_extractor
        extractor.cnn.insert(6, nn.AdaptiveAvgPool2d(size))
        torch.manual_seed(0)
        extractor.linear[0] = nn.Linear(features, 512)

    return change


def linear(make: Callable[[nn.Linear], nn.Module], index: int = 0) -> Callable[[Policy], None]:
    def change(policy: Policy) -> None:
        torch.manual_seed(9)
        head = policy.features_extractor.linear
        head[index] = make(head[index])

    return change


def like(cls: type[nn.Linear]) -> Callable[[nn.Linear], nn.Linear]:
    return lambda old: cls(old.in_features, old.out_features)


def changed(
    where: tuple[str, int], change: Callable[..., object], *args: Any
) -> Callable[[Policy], None]:
    """Return a change of one layer."""

    def change_it(policy: Policy) -> None:
        torch.manual_seed(0)
        modules, index = where
        change(getattr(policy.features_extractor, modules)[index], *args)

    return change_it


FIRST, SECOND, THIRD, LINEAR = ("cnn", 0), ("cnn", 2), ("cnn", 4), ("linear", 0)


def both_weights(change: Callable[..., object]) -> Callable[[nn.Module], None]:
    """Return a change of a CoordConv2d's two weights, one after the other."""

    def change_them(layer: nn.Module) -> None:
        for name in ("weight", "coord_weight"):
            change(layer, name)

    return change_them


def of_its_own(name: str) -> Callable[[nn.Module], None]:
    """Give a module a method of its own, which gives half of what its class' one does."""

    def change(module: nn.Module) -> None:
        method = half_of(getattr(type(module), name))
        setattr(module, name, types.MethodType(method, module))

    return change


def half_of(method: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **options: Any) -> Any:
        found = method(*args, **options)
        return found / 2 if isinstance(found, torch.Tensor) else found

    return call


def patched(owner: Any, name: str) -> Callable[[Policy], Any]:
    """Replace a method or function of a class or module, for all that use it."""
    return lambda _: mock.patch.object(owner, name, half_of(getattr(owner, name)))


def computed(name: str) -> Callable[[nn.Module], None]:
    """Put a tensor computed from a parameter in its place, as old normalisations do."""

    def change(layer: nn.Module) -> None:
        own = getattr(layer, name)
        delattr(layer, name)
        layer.register_parameter(f"{name}_before", own)
        setattr(layer, name, own.detach() * 1.5)

    return change


def plain_weight(policy: Policy) -> None:
    conv = policy.features_extractor.cnn[2]
    weight = conv.weight.detach().clone()
    del conv.weight
    conv.register_buffer("weight", weight)


def marked(policy: Policy) -> None:
    conv = policy.features_extractor.cnn[2]
    conv.weight = Marked(conv.weight.detach().clone())


def rebuilt(policy: Policy) -> None:
    """Give the optimizer the parameters that there are now."""
    optimizer = policy.optimizer
    policy.optimizer = type(optimizer)(policy.parameters(), **optimizer.defaults)


class Scaled(nn.Sequential):
    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return 1.5 * super().forward(input)

    def __init__(self, modules: nn.Sequential) -> None:
        super().__init__(*modules)


def calling(own: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: nn.Module, *args: Any, **options: Any) -> Any:
        found = own(self, *args, **options)
        return found / 2 if type(self) is nn.Flatten else found

    return call


def overriding(name: str, change: Callable[..., Any]) -> Callable[[Policy], None]:
    """Give a policy a method of its own, which changes what its class' one returns."""

    def override(policy: Policy) -> None:
        own = getattr(type(policy), name)
        setattr(policy, name, lambda *args, **options: change(own(policy, *args, **options)))

    return override


BREAKS: dict[str, Break] = {
    "activation": Break("module 1 .*LeakyReLU", replace(1, lambda _: nn.LeakyReLU(0.3))),
    "last activation": Break("module 1 .*ELU", linear(lambda _: nn.ELU(), 1)),
    "linear of a subclass": Break("Doubling", linear(like(Doubling))),
    "convolution of a subclass": Break("Negating", replace(2, lambda _: Negating(32, 64, 4, 2))),
    "no bias": Break("bias is missing", replace(2, lambda _: nn.Conv2d(32, 64, 4, 2, bias=False))),
    "no bias of the linear layer": Break(
        "Linear.bias is missing",
        linear(lambda old: nn.Linear(old.in_features, old.out_features, bias=False)),
    ),
    "kernel": Break("kernel_size=.2, 2", alone(4, kernel_size=2)),
    "stride": Break("stride=.2, 2", alone(4, stride=2)),
    "padding": Break("padding=.1, 1", alone(4, padding=1)),
    "padding mode": Break("circular", alone(4, padding_mode="circular")),
    "dilation": Break("dilation=.2, 1", alone(0, dilation=(2, 1))),
    "groups": Break("groups=2", alone(4, groups=2)),
    "one module more": Break("module 6 .*Dropout", lambda p: p.features_extractor.cnn.insert(
        6, nn.Dropout(0.0)))  ,
    "one module less": Break("module 3 .*Conv2d", without(3)),
    "order": Break("module 0 .*ReLU", lambda p: p.features_extractor.cnn.insert(
        0, p.features_extractor.cnn.pop(1))),
    "another flatten": Break("Flatten.*end_dim=3", replace(6, lambda _: nn.Flatten(1, 3))),
    "a pool with places": Break("pool's output size", pooled((2, 1), 128)),
    "a list of modules": Break(
        "found a Scaled where",
        lambda p: setattr(p.features_extractor, "cnn", Scaled(p.features_extractor.cnn)),
    ),
    "forward hook": Break("Conv2d has hooks", lambda p: p.features_extractor.cnn[
        2].register_forward_hook(lambda m, x, y: 2 * y)),
    "forward pre-hook": Break("ReLU has hooks", lambda p: p.features_extractor.cnn[
        3].register_forward_pre_hook(lambda m, x: (x[0] - 0.1,))),
    "backward hook": Break("Linear has hooks", lambda p: p.features_extractor.linear[
        0].register_full_backward_hook(lambda m, i, o: (2 * i[0],))),
    "backward pre-hook": Break("Linear has hooks", lambda p: p.features_extractor.linear[
        0].register_full_backward_pre_hook(lambda m, o: (2 * o[0],))),
    "hook on the extractor": Break(
        "Extractor has hooks",
        lambda p: p.features_extractor.register_forward_hook(lambda m, x, y: y + 1),
    ),
    "hook on a Sequential": Break(
        "Sequential has hooks",
        lambda p: p.features_extractor.cnn.register_forward_hook(lambda m, x, y: y / 2),
    ),
    "hook on all modules": Break(
        "hooks on all modules",
        lambda _: nn.modules.module.register_module_forward_hook(
            lambda m, x, y: y * 1.5 if type(m) is nn.ReLU else None
        ),
    ),
    **{
        f"a module's own {name}": Break(f"was changed: .*{name}", changed(where, of_its_own(name)))
        for name, where in {
            "forward": SECOND, "_call_impl": LINEAR, "_conv_forward": SECOND, "_convolve": FIRST,
            "coordinate_map": FIRST,
        }.items()
    },
    **{
        f"a computed {name}": Break(f"was changed: .*{name}", changed(where, computed(name)))
        for name, where in {"weight": SECOND, "bias": LINEAR, "coord_weight": FIRST}.items()
    },
    **{
        f"{kind.__name__}.{name}": Break(f"{kind.__name__} has other", patched(kind, name))
        for kind, name in {
            nn.Linear: "__call__", nn.Conv2d: "_conv_forward", CoordConv2d: "coordinate_map",
        }.items()
    },
    "a class' forward": Break(
        "ReLU has other methods",
        lambda _: mock.patch.object(nn.ReLU, "forward", lambda self, x: x.clamp(0, 0.5)),
    ),
    "calls of all modules": Break("calls of modules", lambda _: mock.patch.object(
        nn.Module, "_call_impl", calling(nn.Module._call_impl))),
    "nn.Module.__call__": Break("calls of modules", lambda _: mock.patch.object(
        nn.Module, "__call__", calling(nn.Module.__call__))),
    "a function of torch": Break("functions are intercepted", patched(F, "linear")),
    "parametrization": Break("ParametrizedConv2d", changed(
        SECOND, parametrize.register_parametrization, "weight", Halving())),
    "weight norm": Break("ParametrizedConv2d", changed(SECOND, parametrizations.weight_norm)),
    "spectral norm": Break("ParametrizedConv2d", changed(SECOND, parametrizations.spectral_norm)),
    "spectral norm of the first layer": Break(
        "ParametrizedCoordConv2d", changed(FIRST, both_weights(parametrizations.spectral_norm))
    ),
    "old weight norm": Break("Conv2d has hooks", changed(SECOND, nn.utils.weight_norm)),
    "old weight norm of the first layer": Break(
        "CoordConv2d has hooks", changed(FIRST, both_weights(nn.utils.weight_norm))
    ),
    "old weight norm of the linear layer": Break(
        "Linear has hooks", changed(LINEAR, nn.utils.weight_norm)
    ),
    "old spectral norm": Break("Linear has hooks", changed(LINEAR, nn.utils.spectral_norm)),
    "old spectral norm of a convolution": Break(
        "Conv2d has hooks", changed(SECOND, nn.utils.spectral_norm)
    ),
    "pruned convolution": Break(
        "Conv2d has hooks", changed(SECOND, prune.l1_unstructured, "weight", 0.5)
    ),
    "pruned linear layer": Break(
        "Linear has hooks", changed(LINEAR, prune.l1_unstructured, "weight", 0.5)
    ),
    "pruned coordinates": Break(
        "CoordConv2d has hooks", changed(FIRST, prune.l1_unstructured, "coord_weight", 0.5)
    ),
    "pruned filters": Break(
        "Conv2d has hooks", changed(THIRD, prune.ln_structured, "weight", 0.5, 2, 0)
    ),
    "a weight that is no parameter": Break("Conv2d.weight is missing", plain_weight),
    "a parameter of a subclass": Break("Conv2d.weight is a Marked", marked),
    "the extractor's class": Break("Extractor has other", patched(CoordConvExtractor, "__call__")),
    "SB3's own class": Break("Extractor has other", patched(NatureCNN, "forward")),
    **{
        f"a policy's own {name}": Break(
            f"the policy was changed: .*{name}", overriding(name, change)
        )
        for name, change in {
            "forward": lambda found: (found[0], 2 * found[1], found[2]),
            "evaluate_actions": lambda found: (2 * found[0], *found[1:]),
            "extract_features": lambda found: found / 2,
            "predict_values": lambda found: 2 * found,
        }.items()
    },
}  # fmt: skip

BESIDE = {name for name in BREAKS if name.startswith(("a policy's own", "the extr", "SB3's"))}
BESIDE |= {"hook on the extractor"}
"""Those outside of the convolutions and the linear layer."""
