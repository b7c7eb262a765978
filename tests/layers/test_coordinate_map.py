"""The coordinates' map is kept while the weights stand still, and never longer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from coordconv_rl.layers import (
    CoordConv2d,
    CoordConvTranspose2d,
)


def write_in_place(layer: CoordConv2d) -> None:
    with torch.no_grad():
        layer.coord_weight.mul_(2)


def write_through_data(layer: CoordConv2d) -> None:
    layer.coord_weight.data.copy_(layer.coord_weight.data * 2)


def replace_data(layer: CoordConv2d) -> None:
    layer.coord_weight.data = layer.coord_weight.data * 2


def write_out_argument(layer: CoordConv2d) -> None:
    target = layer.coord_weight.data  # as SB3 moves target networks
    target.mul_(0.5)
    torch.add(target, torch.ones_like(target), alpha=0.5, out=target)


def write_bias(layer: CoordConv2d) -> None:
    layer.bias.data.add_(1)


def load(layer: CoordConv2d) -> None:
    layer.load_state_dict(CoordConv2d(3, 4, 3).state_dict())


def replace_parameter(layer: CoordConv2d) -> None:
    layer.coord_weight = nn.Parameter(torch.ones_like(layer.coord_weight))


def train_with(make: Callable[..., torch.optim.Optimizer], **options: Any) -> Any:
    def train(layer: CoordConv2d) -> None:
        optimizer = make(layer.parameters(), lr=0.1, **options)
        with torch.enable_grad():
            layer(torch.ones(2, 3, 6, 6)).square().sum().backward()
        optimizer.step()

    return train


@pytest.mark.parametrize(
    "change",
    [
        write_in_place,
        write_through_data,
        replace_data,
        write_out_argument,
        write_bias,
        load,
        replace_parameter,
        CoordConv2d.reset_parameters,
        train_with(torch.optim.SGD),
        train_with(torch.optim.Adam, fused=True),
        train_with(torch.optim.Adam, foreach=True),
        train_with(torch.optim.RMSprop, foreach=True),
    ],
)
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_kept_map_follows_every_change_of_the_weights(change: Any, mode: Any) -> None:
    layer, x = CoordConv2d(3, 4, 3), torch.ones(2, 3, 6, 6)
    with mode():
        before = layer(x)
    change(layer)
    with mode():
        after = layer(x)
    fresh = CoordConv2d(3, 4, 3)
    fresh.load_state_dict(layer.state_dict())
    torch.testing.assert_close(after, fresh(x).detach(), rtol=0, atol=1e-6)
    assert not torch.allclose(before, after)


def test_map_is_computed_once_while_weights_stand_still(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = CoordConv2d(3, 4, 3)
    made: list[Any] = []
    make = layer._make_map
    monkeypatch.setattr(layer, "_make_map", lambda *args: made.append(args) or make(*args))
    with torch.no_grad():
        for batch in (1, 5, 3):
            layer(torch.rand(batch, 3, 6, 6))
        assert len(made) == 1
        layer(torch.rand(2, 3, 7, 6))
        assert len(made) == 2
        with torch.autocast("cpu", torch.bfloat16):
            assert layer(torch.rand(2, 3, 7, 6)).dtype == torch.bfloat16
        assert len(made) == 3
    layer(torch.rand(2, 3, 7, 6)).sum().backward()
    assert len(made) == 4


def test_kept_values_follow_type_and_training_after_inference() -> None:
    layer, x = CoordConv2d(3, 4, 3), torch.rand(2, 3, 6, 6)
    with torch.inference_mode():
        layer(x)
    layer(x).sum().backward()
    assert layer.coord_weight.grad is not None
    with torch.no_grad():
        assert layer.double()(x.double()).dtype == torch.float64


def test_a_map_of_inference_mode_may_be_used_in_training() -> None:
    layer, x = CoordConv2d(3, 4, 3), torch.rand(2, 3, 6, 6)
    with torch.inference_mode():
        layer(x)
    with torch.no_grad():
        added = layer.coordinate_map((6, 6))
    scale = torch.ones((), requires_grad=True)
    (scale * added).sum().backward()
    torch.testing.assert_close(scale.grad, added.sum())


def test_coordinate_map_is_what_coordinates_and_bias_add() -> None:
    layer, x = CoordConv2d(3, 4, 3, stride=2, radius=True), torch.rand(2, 3, 9, 8)
    added = layer.coordinate_map((9, 8))
    assert added.shape == (1, 4, 4, 3)
    assert added.requires_grad
    own = nn.functional.conv2d(x, layer.weight, stride=2)
    torch.testing.assert_close(own + added, layer(x))
    assert layer.coordinate_map((9, 8), dtype=torch.bfloat16).dtype == torch.bfloat16
    assert CoordConvTranspose2d(3, 4, 3, 2, output_padding=1).coordinate_map((4, 4)).shape[-1] == 10
