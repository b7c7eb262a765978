"""The gate: each thing that the fast path relies on, looked at in modules, images and in torch."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from breaks import BREAKS
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from coordconv_rl.fast.gate import (
    KnownLayers,
    Observations,
    StepsAside,
    check_untouched,
    known_layers,
)
from coordconv_rl.layers import CoordConv2d

CPU = torch.device("cpu")
IMAGES = Observations(torch.Size((2, 4, 44, 40)), torch.uint8, CPU)


def nature(*, pooled: bool = False) -> tuple[nn.Sequential, nn.Sequential]:
    cnn = nn.Sequential(
        CoordConv2d(4, 32, 8, 4), nn.ReLU(), nn.Conv2d(32, 64, 4, 2), nn.ReLU(),
        nn.Conv2d(64, 64, 3), nn.ReLU(inplace=True),
        *([nn.AdaptiveAvgPool2d((1, 1))] if pooled else []), nn.Flatten(),
    )  # fmt: skip
    return cnn, nn.Sequential(nn.Linear(64 if pooled else 128, 512), nn.ReLU())


def look(images: Observations = IMAGES, *, pooled: bool = False) -> KnownLayers:
    return known_layers(*nature(pooled=pooled), images)


@pytest.mark.parametrize("pooled", [False, True])
def test_the_nature_network_is_known(pooled):
    cnn, head = nature(pooled=pooled)
    layers = known_layers(cnn, head, IMAGES)
    assert layers.convolutions == (cnn[0], cnn[2], cnn[4])
    assert layers.linear is head[0]
    assert layers.is_pooled == pooled
    parameters = [*cnn.parameters(), *head.parameters()]
    assert {id(p) for p in layers.weights} == {id(p) for p in parameters}


BESIDE = {"hook on the extractor", "a policy's own method"}  # what lies outside of both modules


@pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated")
@pytest.mark.parametrize("name", sorted(BREAKS.keys() - BESIDE))
def test_each_change_of_a_network_is_seen(name):
    cnn, head = nature()
    extractor = SimpleNamespace(cnn=cnn, linear=head)
    known_layers(cnn, head, IMAGES)
    with (
        BREAKS[name].made(SimpleNamespace(features_extractor=extractor)),
        pytest.raises(StepsAside, match=BREAKS[name].reason),
    ):
        known_layers(extractor.cnn, extractor.linear, IMAGES)


def change(make: Callable[[nn.Module, nn.Module], object]) -> Callable[[], KnownLayers]:
    def changed() -> KnownLayers:
        cnn, head = nature()
        make(cnn, head)
        return known_layers(cnn, head, IMAGES)

    return changed


def images(shape: tuple[int, ...], dtype: torch.dtype = torch.uint8, device: str = "cpu") -> Any:
    return lambda: look(Observations(torch.Size(shape), dtype, torch.device(device)))


@torch.inference_mode()
def made_in_inference_mode() -> KnownLayers:
    return look()


def compiled(cnn: nn.Module, head: nn.Module) -> None:
    head.compile(backend="eager")


def half(cnn: nn.Module, head: nn.Module) -> None:
    cnn[2].weight.data = cnn[2].weight.data.half()


def with_other_channels(cnn: nn.Module, head: nn.Module) -> None:
    cnn[4].weight = nn.Parameter(torch.zeros(64, 32, 3, 3))


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (images((2, 4, 44)), "of shape .2, 4, 44."),
        (images((0, 4, 44, 40)), "of shape .0, 4"),
        (images((2, 3, 44, 40)), "weight is torch.float32 of shape .32, 4, 8, 8."),
        (images((2, 4, 48, 48)), "Linear.weight .*512, 128"),
        (images((2, 4, 35, 44)), "too small"),
        (images((2, 4, 44, 40), torch.float32), "torch.float32"),
        (images((2, 4, 44, 40), device="meta"), "the device is meta"),
        (change(lambda cnn, head: cnn.double()), "torch.float64"),
        (change(half), "torch.float16"),
        (change(with_other_channels), "of shape .64, 32, 3, 3."),
        (change(lambda cnn, head: head.to("meta")), "on meta"),
        (change(compiled), "is compiled"),
        (made_in_inference_mode, "inference mode"),
    ],
)
def test_parameters_and_images_have_to_fit(seen, reason):
    with pytest.raises(StepsAside, match=reason):
        seen()


class Watching(TorchDispatchMode):
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func(*args, **(kwargs or {}))


class Patching(torch.overrides.TorchFunctionMode):
    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize(
    ("context", "reason"),
    [
        (Watching, "dispatch mode"),
        (Patching, "function mode"),
        (lambda: torch.autocast("cpu", torch.bfloat16), "autocast"),
        (torch.autograd.forward_ad.dual_level, "forward mode"),
        (lambda: torch.device("cpu"), None),
        (torch.inference_mode, None),
        (torch.no_grad, None),
        (nullcontext, None),
    ],
)
def test_what_stands_between_is_seen(context, reason):
    cnn, head = nature()
    with context():
        if reason is None:
            known_layers(cnn, head, IMAGES)
        else:
            with pytest.raises(StepsAside, match=reason):
                known_layers(cnn, head, IMAGES)


def test_transformed_functions_and_other_weights_are_seen():
    cnn, head = nature()
    reasons = []

    def call(x: Tensor) -> Tensor:
        try:
            known_layers(cnn, head, IMAGES)
        except StepsAside as reason:
            reasons.append(str(reason))
        return x

    torch.func.vmap(call)(torch.zeros(2))
    torch.func.grad(lambda x: call(x).sum())(torch.zeros(2))
    torch.jit.trace(call, torch.zeros(2), check_trace=False)
    torch.compile(call, backend="eager")(torch.zeros(2))
    assert len(reasons) >= 3
    assert reasons[0] == reasons[1] != reasons[2]
    assert "torch.func" in reasons[0]
    assert "records a graph" in reasons[2]
    weights = {name: p.detach().clone() for name, p in cnn.named_parameters()}

    class Reading(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return call(x)

    module = Reading()
    module.cnn = cnn
    reasons.clear()
    torch.func.functional_call(module, {f"cnn.{k}": v for k, v in weights.items()}, torch.zeros(1))
    assert reasons == ["CoordConv2d.weight is a Tensor"]


def test_a_copy_is_known_and_an_own_class_has_its_own_forward():
    cnn, head = nature()
    known_layers(copy.deepcopy(cnn), copy.deepcopy(head), IMAGES)

    class Plain(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x

    check_untouched(Plain(), Plain.forward)
    with pytest.raises(StepsAside, match="Plain has other methods"):
        check_untouched(Plain(), nn.Identity.forward)
