"""Existing models gain coordinates, compute the same as before and train on from there."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import prune

from coordconv_rl.errors import InputError
from coordconv_rl.layers import (
    CoordConv1d,
    CoordConv2d,
    CoordConv3d,
    CoordConvTranspose2d,
    give_coordinates,
)
from coordconv_rl.sb3 import add_coordinates


def small_network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, stride=2), nn.ReLU(), nn.Conv2d(4, 4, 3, groups=2), nn.ReLU(),
        nn.Sequential(nn.ConvTranspose2d(4, 3, 3, 2, output_padding=1), nn.BatchNorm2d(3)),
    )  # fmt: skip


@pytest.mark.parametrize("radius", [False, True])
@pytest.mark.parametrize(
    ("plain", "kind", "size"),
    [
        (nn.Conv1d(2, 3, 3, padding=1), CoordConv1d, (7,)),
        (nn.Conv2d(2, 3, 3, padding="same", padding_mode="reflect"), CoordConv2d, (7, 6)),
        (nn.Conv2d(2, 3, 3, bias=False), CoordConv2d, (7, 6)),
        (nn.Conv3d(2, 3, 2, stride=2), CoordConv3d, (7, 6, 5)),
        (nn.ConvTranspose2d(2, 3, 3, 2, 1, 1), CoordConvTranspose2d, (7, 6)),
    ],
)
def test_same_function_then_trains(
    plain: nn.Module, kind: type[nn.Module], size: tuple[int, ...], radius: bool
) -> None:
    layer, x = copy.deepcopy(plain), torch.rand(2, 2, *size)
    report = add_coordinates(layer, radius=radius)
    assert type(layer) is kind
    assert report.added == sum(p.numel() for p in layer.parameters()) - sum(
        p.numel() for p in plain.parameters()
    )
    torch.testing.assert_close(layer(x), plain(x), rtol=0, atol=1e-6)
    (weight,) = report.parameters
    assert not weight.any()
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    layer(x).square().sum().backward()
    optimizer.step()
    assert weight.all()


def test_all_reports_what_it_leaves_out() -> None:
    model, x = small_network().eval(), torch.rand(2, 3, 16, 16)
    wanted = model(x)
    report = add_coordinates(model, "all")
    assert report.changed == ("0", "4.0")
    assert list(report.skipped) == ["2"]
    assert "groups=2" in report.skipped["2"]
    assert str(report).splitlines() == [
        f"coordinates added to 0, 4.0: {4 * 2 * 9 + 2 * 3 * 9} new weights",
        "left as it was: 2 (is grouped (groups=2), and coordinates belong to every group)",
    ]
    torch.testing.assert_close(model(x), wanted, rtol=0, atol=1e-6)
    assert not model[4][0].training


def test_first_and_indices() -> None:
    assert add_coordinates(small_network()).changed == ("0",)
    assert add_coordinates(small_network(), [2, 0]).changed == ("0", "4.0")
    assert add_coordinates(small_network(), [np.int64(2)]).changed == ("4.0",)
    assert add_coordinates(small_network(), np.array([2])).changed == ("4.0",)  # type: ignore[arg-type]
    model = small_network()
    add_coordinates(model, "first")
    assert add_coordinates(model, "all", radius=True).changed == ("4.0",)


@pytest.mark.parametrize(
    ("model", "layers", "message"),
    [
        (nn.Linear(2, 2), "all", "nothing to change in Linear: it has no convolution"),
        (nn.Linear(2, 2), "first", "nothing to change"),
        (nn.Conv2d(4, 4, 3, groups=4), "all", "nothing to change.*groups=4"),
        (nn.Conv2d(4, 4, 3, groups=4), "first", "cannot add coordinates to Conv2d.*groups=4"),
        (CoordConv2d(3, 4, 3), "first", "has coordinates already"),
        (CoordConv2d(3, 4, 3), "all", "nothing to change.*has coordinates already"),
        (nn.LazyConv2d(4, 3), "first", "run the model on one input first"),
        (nn.ConvTranspose3d(2, 2, 2), "first", "is a ConvTranspose3d, and only Conv1d"),
        (small_network(), [3], "index 3: the network has 3"),
        (small_network(), [-1], "index -1"),
        (small_network(), [0, 1], "cannot add coordinates to 2: it is grouped"),
        (small_network(), [0, 0], "different whole numbers"),
        (small_network(), [], "different whole numbers"),
        (small_network(), [True], "different whole numbers"),
        (small_network(), [0.0], "different whole numbers"),
        (small_network(), "last", "different whole numbers, found 'last'"),
        ("PPO", "first", "cannot add coordinates to a str"),
    ],
)
def test_refuses_and_changes_nothing(model: Any, layers: Any, message: str) -> None:
    before = repr(model)
    with pytest.raises(InputError, match=message):
        add_coordinates(model, layers)
    assert repr(model) == before


def test_keeps_objects_hooks_type_format_and_frozen_weights() -> None:
    conv = nn.Conv2d(3, 4, 3, dtype=torch.float64).to(memory_format=torch.channels_last)
    conv.requires_grad_(False)
    calls: list[Any] = []
    conv.register_forward_hook(lambda *args: calls.append(args))
    weight, bias = conv.weight, conv.bias
    add_coordinates(conv)
    added = conv.get_parameter("coord_weight")
    conv(torch.rand(1, 3, 5, 5, dtype=torch.float64))
    assert (conv.weight is weight, conv.bias is bias, len(calls)) == (True, True, 1)
    assert added.dtype == torch.float64
    assert added.is_contiguous(memory_format=torch.channels_last)
    assert not added.requires_grad


@pytest.mark.filterwarnings("ignore:.*weight_norm.*")
@pytest.mark.parametrize("how", [prune.identity, nn.utils.weight_norm])
def test_optimizers_of_pruned_and_normalised_layers_gain_the_new_weights(how: Any) -> None:
    conv, x = how(nn.Conv2d(3, 4, 3), "weight"), torch.rand(2, 3, 5, 5)
    optimizer = torch.optim.SGD(conv.parameters(), lr=0.1)
    wanted = conv(x)
    (added,) = give_coordinates([("", conv)], optimizers=[optimizer]).parameters
    torch.testing.assert_close(conv(x), wanted)
    assert any(added is p for p in optimizer.param_groups[0]["params"])
    conv(x).square().sum().backward()
    optimizer.step()
    assert added.all()


def test_parametrized_layers_are_refused() -> None:
    conv = nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 4, 3))
    with pytest.raises(InputError, match="is a ParametrizedConv2d, and only"):
        give_coordinates([("", conv)])


def test_a_layer_at_two_places_changes_once() -> None:
    conv = nn.Conv2d(3, 3, 3, padding=1)
    model = nn.ModuleDict({"a": nn.Sequential(conv), "b": nn.Sequential(conv, nn.Conv2d(3, 3, 1))})
    report = add_coordinates(model, "all")
    assert report.changed == ("a.0", "b.1")
    assert model["a"][0] is model["b"][0]
    assert sum("coord_weight" in name for name, _ in model.named_parameters()) == 2
