"""The gate: each thing that the fast path relies on, looked at in modules, images and in torch."""

from __future__ import annotations

import ast
import copy
import re
import traceback
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeAlias
from unittest import mock

import pytest
import torch
from breaks import BESIDE, BREAKS, half_of
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from coordconv_rl.fast import gate
from coordconv_rl.fast.gate import (
    Observations,
    StepsAside,
    check_untouched,
    known_layers,
)
from coordconv_rl.fast.interception import _CHECKS, RECORDS
from coordconv_rl.layers import CoordConv2d

Look: TypeAlias = Callable[..., Any]  # `known_layers`, or what became of it

CPU = torch.device("cpu")
IMAGES = Observations(torch.Size((2, 4, 44, 40)), torch.uint8, CPU)


def nature(*, pooled: bool = False) -> tuple[nn.Sequential, nn.Sequential]:
    cnn = nn.Sequential(
        CoordConv2d(4, 32, 8, 4), nn.ReLU(), nn.Conv2d(32, 64, 4, 2), nn.ReLU(),
        nn.Conv2d(64, 64, 3), nn.ReLU(inplace=True),
        *([nn.AdaptiveAvgPool2d((1, 1))] if pooled else []), nn.Flatten(),
    )  # fmt: skip
    return cnn, nn.Sequential(nn.Linear(64 if pooled else 128, 512), nn.ReLU())


@pytest.mark.parametrize("pooled", [False, True])
def test_the_nature_network_is_known(pooled):
    cnn, head = nature(pooled=pooled)
    layers = known_layers(cnn, head, IMAGES)
    assert layers.convolutions == (cnn[0], cnn[2], cnn[4])
    assert layers.linear is head[0]
    assert layers.is_pooled == pooled
    parameters = [*cnn.parameters(), *head.parameters()]
    assert {id(p) for p in layers.weights} == {id(p) for p in parameters}


def broken(name: str) -> Callable[[Look], Any]:
    def changed(look: Look) -> Any:
        cnn, head = nature()
        extractor = SimpleNamespace(cnn=cnn, linear=head)
        with BREAKS[name].made(SimpleNamespace(features_extractor=extractor)):
            return look(extractor.cnn, extractor.linear, IMAGES)

    return changed


def change(make: Callable[[Any, Any], object], *, pooled: bool = False) -> Callable[[Look], Any]:
    def changed(look: Look) -> Any:
        cnn, head = nature(pooled=pooled)
        make(cnn, head)
        return look(cnn, head, IMAGES)

    return changed


def setting(part: int, index: int, name: str, value: object, *, pooled: bool = False) -> Any:
    """Change one attribute of one module, and nothing that goes with it."""
    return change(lambda *parts: setattr(parts[part][index], name, value), pooled=pooled)


def images(
    shape: tuple[int, ...], dtype: torch.dtype = torch.uint8, device: str = "cpu", **options: Any
) -> Callable[[Look], Any]:
    seen = Observations(torch.Size(shape), dtype, torch.device(device))
    return lambda look: look(*(m.to(device) for m in nature(**options)), seen)


@torch.inference_mode()
def made_in_inference_mode(look: Look) -> Any:
    return look(*nature(), IMAGES)


def half(cnn: nn.Module, head: nn.Module) -> None:
    cnn[2].weight.data = cnn[2].weight.data.half()


def with_other_channels(cnn: nn.Module, head: nn.Module) -> None:
    cnn[4].weight = nn.Parameter(torch.zeros(64, 32, 3, 3))


def sparse(cnn: nn.Module, head: nn.Module) -> None:
    head[0].weight = nn.Parameter(head[0].weight.detach().to_sparse())


ALONE = {
    "kernel_size": (2, 2), "stride": (3, 3), "padding": (1, 1), "dilation": (2, 2), "groups": 2,
    "padding_mode": "circular", "out_channels": 48,
}  # fmt: skip
"""Attributes of a convolution that the gate looks at, each with another value."""

SEEN: dict[str, tuple[Callable[[Look], Any], str]] = {
    **{name: (broken(name), BREAKS[name].reason) for name in sorted(BREAKS.keys() - BESIDE)},
    **{
        f"{name} of convolution {index}, alone": (
            setting(0, index, name, value),
            "weight is torch.float32 of shape" if name == "out_channels" else "another geometry",
        )
        for name, value in ALONE.items()
        for index in (0, 2, 4)
    },
    "another radius": (setting(0, 0, "radius", True), "coord_weight is torch.float32 of shape"),
    "out_features, alone": (setting(1, 0, "out_features", 256), "Linear.weight"),
    "start_dim, alone": (setting(0, 6, "start_dim", 0), "has a Flatten.start_dim=0"),
    "end_dim, alone": (setting(0, 6, "end_dim", 2), "has a Flatten.*end_dim=2"),
    "a pool's output_size, alone": (
        setting(0, 6, "output_size", (2, 1), pooled=True), "pool's output size",
    ),
    "three axes": (images((2, 4, 44)), "of shape .2, 4, 44."),
    "no image": (images((0, 4, 44, 40)), "of shape .0, 4"),
    "three channels": (images((2, 3, 44, 40)), "weight is torch.float32 of shape .32, 4, 8, 8."),
    "another size": (images((2, 4, 48, 48)), "Linear.weight .*512, 128"),
    "small images": (images((2, 4, 35, 44)), "too small"),
    "small images, pooled": (images((2, 4, 35, 44), pooled=True), "too small"),
    "floats": (images((2, 4, 44, 40), torch.float32), "torch.float32"),
    "another device": (images((2, 4, 44, 40), device="meta"), "the device is meta"),
    "float64": (change(lambda cnn, head: cnn.double()), "torch.float64"),
    "float16": (change(half), "torch.float16"),
    "other channels": (change(with_other_channels), "of shape .64, 32, 3, 3."),
    "a sparse weight": (change(sparse), "Linear.weight is on cpu .torch.sparse_coo"),
    "a part elsewhere": (change(lambda cnn, head: head.to("meta")), "on meta"),
    "compiled": (change(lambda cnn, head: head.compile(backend="eager")), "is compiled"),
    "made in inference mode": (made_in_inference_mode, "inference mode"),
}  # fmt: skip
"""Changes of modules and images, and what the gate says."""


@pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated")
@pytest.mark.parametrize("name", SEEN)
def test_each_change_of_a_network_or_of_images_is_seen(name):
    known_layers(*nature(), IMAGES)
    changed, reason = SEEN[name]
    with pytest.raises(StepsAside, match=reason):
        changed(known_layers)


def conditions(tree: ast.Module) -> Iterator[tuple[str, range, Callable[[], None]]]:
    """Find all for which the gate steps aside: the text, the lines of it, how to leave it out.

    Each part of an `or`, each pair of two tuples that are compared, and each call of a check.
    """
    checks = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            check = checks[ast.unparse(node.value.func)]
            inside = range(check.lineno, (check.end_lineno or 0) + 1)
            yield ast.unparse(node), inside, partial(setattr, node, "value", ast.Constant(None))
        if isinstance(node, ast.If) and isinstance(node.body[-1], ast.Raise):
            test, step = node.test, node.body[-1]
            lines = range(step.lineno, (step.end_lineno or 0) + 1)
            is_any = isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or)
            for part in test.values if is_any else [test]:
                yield ast.unparse(part), lines, partial(leave_out, node, part)
                sides = [part.left, *part.comparators] if isinstance(part, ast.Compare) else []
                if sides and all(isinstance(side, ast.Tuple) for side in sides):
                    for i, element in enumerate(sides[0].elts):
                        yield ast.unparse(element), lines, partial(leave_element_out, sides, i)


def leave_out(node: ast.If, part: ast.expr) -> None:
    never = ast.copy_location(ast.Constant(False), part)
    if node.test is part:
        node.test = never
    else:
        node.test.values = [never if value is part else value for value in node.test.values]


def leave_element_out(sides: list[ast.Tuple], index: int) -> None:
    for side in sides:
        del side.elts[index]


def steps_aside(module: Any, changed: Callable[[Look], Any]) -> int | None:
    """Return the line of the gate that stepped aside, if one did."""
    try:
        changed(module.known_layers)
    except module.StepsAside as reason:
        lines = [line for frame, line in traceback.walk_tb(reason.__traceback__)]
        return lines[-1]
    except Exception:  # what it raises in the place of stepping aside
        return None
    return None


ASKED_TWICE = ["torch.compiler.is_compiling()"]  # at once, for what follows cannot be compiled


@pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated")
def test_nothing_that_the_gate_looks_at_could_be_left_out():
    """Each condition, left out, lets a change pass that is seen with it."""
    source = Path(gate.__file__).read_text()
    lines = {name: steps_aside(gate, changed) for name, (changed, _) in SEEN.items()}
    unneeded = []
    for index, (text, reached, _) in enumerate(conditions(ast.parse(source))):
        tree = ast.parse(source)
        list(conditions(tree))[index][2]()
        mutant = SimpleNamespace(__name__=gate.__name__)
        exec(compile(ast.fix_missing_locations(tree), gate.__file__, "exec"), vars(mutant))
        changes = [changed for name, (changed, _) in SEEN.items() if lines[name] in reached]
        if all(steps_aside(mutant, changed) for changed in changes):
            unneeded.append(text)
    assert unneeded == ASKED_TWICE


SHADOWED = {
    "forward", "_conv_forward", "_convolve", "_call_impl", "coordinate_map", "weight", "bias",
    "coord_weight",
}  # fmt: skip
CALLED = ("__call__", "_call_impl", "forward")
METHODS: dict[type[nn.Module], tuple[str, ...]] = {
    nn.Sequential: CALLED,
    nn.Conv2d: (*CALLED, "_conv_forward"),
    CoordConv2d: (*CALLED, "_conv_forward", "_convolve", "coordinate_map"),
    nn.ReLU: CALLED,
    nn.AdaptiveAvgPool2d: CALLED,
    nn.Flatten: CALLED,
    nn.Linear: CALLED,
}


def test_whatever_hides_a_method_or_parameter_is_seen():
    assert gate._SHADOWS == SHADOWED
    for name in SHADOWED:
        cnn, head = nature()
        vars(cnn[0])[name] = getattr(cnn[0], name)
        with pytest.raises(StepsAside, match=f"CoordConv2d was changed: .*'{name}'"):
            known_layers(cnn, head, IMAGES)


def test_whatever_is_put_into_a_known_class_is_seen(monkeypatch):
    assert {kind: tuple(n for n, _ in own) for kind, own in gate._METHODS.items()} == METHODS
    cnn, head = nature(pooled=True)
    for kind, names in METHODS.items():
        for name in names:
            with monkeypatch.context() as patch:
                patch.setattr(kind, name, half_of(getattr(kind, name)))
                with pytest.raises(StepsAside, match="has other methods than it was written with"):
                    known_layers(cnn, head, IMAGES)
    known_layers(cnn, head, IMAGES)


class Watching(TorchDispatchMode):
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func(*args, **(kwargs or {}))


class Patching(torch.overrides.TorchFunctionMode):
    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func(*args, **(kwargs or {}))


BETWEEN: list[tuple[Callable[[], Any], str | None]] = [
    (Watching, "dispatch mode"),
    (Patching, "function mode"),
    (lambda: torch.autocast("cpu", torch.bfloat16), "autocast"),
    (torch.autograd.forward_ad.dual_level, "forward mode"),
    *[
        (partial(mock.patch.object, F, name, half_of(getattr(F, name))), "functions are intercept")
        for name in ("conv2d", "linear", "relu", "adaptive_avg_pool2d")
    ],
    (lambda: torch.device("cpu"), None),
    (torch.inference_mode, None),
    (torch.no_grad, None),
    (nullcontext, None),
]


@pytest.mark.parametrize(("context", "reason"), BETWEEN)
def test_what_stands_between_is_seen(context, reason):
    cnn, head = nature()
    with context():
        if reason is None:
            known_layers(cnn, head, IMAGES)
        else:
            with pytest.raises(StepsAside, match=reason):
                known_layers(cnn, head, IMAGES)


def test_each_check_of_what_stands_between_is_reached_by_a_change():
    patterns = [reason for _, reason in BETWEEN if reason]
    patterns += [BREAKS[name].reason for name in BREAKS]
    reached = {check for check in _CHECKS if any(re.search(each, check) for each in patterns)}
    assert _CHECKS.keys() - reached == {
        RECORDS, "operations are transformed (torch.func)",  # below
        "a CUDA graph is captured",  # on a GPU alone
    }  # fmt: skip


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
