"""Everything that the fast path relies on in a network, and a way to break each once."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import torch
from torch import nn
from torch.nn.utils import parametrize, prune

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


def third(policy: Policy, **options: Any) -> None:
    """Replace the third convolution by one of other options that gives the same size."""
    torch.manual_seed(3)
    settings = {"kernel_size": 3, **options}
    policy.features_extractor.cnn[4] = nn.Conv2d(64, 64, **settings)


def stride_two(policy: Policy) -> None:
    third(policy, stride=2)
    policy.features_extractor.linear[0] = nn.Linear(64, 512)


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


def second(change: Callable[..., object], *args: Any) -> Callable[[Policy], None]:
    """Change the second convolution."""

    def changed(policy: Policy) -> None:
        torch.manual_seed(0)
        change(policy.features_extractor.cnn[2], *args)

    return changed


def outer(change: Callable[..., object], *args: Any) -> Callable[[Policy], None]:
    """Change the linear layer."""

    def changed(policy: Policy) -> None:
        torch.manual_seed(0)
        change(policy.features_extractor.linear[0], *args)

    return changed


def own_forward(policy: Policy) -> None:
    conv = policy.features_extractor.cnn[2]
    conv.forward = types.MethodType(lambda self, x: 2 * type(self).forward(self, x), conv)


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


def doubling_values(policy: Policy) -> Callable[..., Any]:
    own = type(policy).evaluate_actions

    def evaluate(obs: Any, actions: Any) -> Any:
        values, log_prob, entropy = own(policy, obs, actions)
        return 2 * values, log_prob, entropy

    return evaluate


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
    "kernel": Break("kernel_size=.5, 5", lambda p: third(p, kernel_size=5, padding=1)),
    "stride": Break("stride=.2, 2", stride_two),
    "padding": Break("padding=.1, 1", lambda p: third(p, kernel_size=5, padding=1)),
    "padding mode": Break(
        "circular", lambda p: third(p, dilation=2, padding=1, padding_mode="circular")
    ),
    "dilation": Break("dilation=.2, 2", lambda p: third(p, dilation=2, padding=1)),
    "groups": Break("groups=2", lambda p: third(p, groups=2)),
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
    "a module's own forward": Break("was changed: .*forward", own_forward),
    "a class' forward": Break(
        "ReLU has other methods",
        lambda _: mock.patch.object(nn.ReLU, "forward", lambda self, x: x.clamp(0, 0.5)),
    ),
    "calls of all modules": Break("calls of modules", lambda _: mock.patch.object(
        nn.Module, "_call_impl", calling(nn.Module._call_impl))),
    "parametrization": Break(
        "ParametrizedConv2d", second(parametrize.register_parametrization, "weight", Halving())
    ),
    "weight norm": Break("ParametrizedConv2d", second(nn.utils.parametrizations.weight_norm)),
    "old weight norm": Break("Conv2d has hooks", second(nn.utils.weight_norm)),
    "old spectral norm": Break("Linear has hooks", outer(nn.utils.spectral_norm)),
    "pruned convolution": Break("Conv2d has hooks", second(prune.l1_unstructured, "weight", 0.5)),
    "pruned linear layer": Break("Linear has hooks", outer(prune.l1_unstructured, "weight", 0.5)),
    "a weight that is no parameter": Break("Conv2d.weight is missing", plain_weight),
    "a parameter of a subclass": Break("Conv2d.weight is a Marked", marked),
    "a policy's own method": Break(
        "the policy was changed: .*evaluate_actions",
        lambda p: setattr(p, "evaluate_actions", doubling_values(p)),
    ),
}  # fmt: skip
