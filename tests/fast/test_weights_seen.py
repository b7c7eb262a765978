"""Each change of weights that the fast path must not miss is seen."""

from __future__ import annotations

import pytest
import torch
from nature_layers import column, made, one_small_number, row

from coordconv_rl.fast import KnownLayers
from coordconv_rl.fast.weights_seen import WeightsSeen


def one_number(layers: KnownLayers) -> None:
    with torch.no_grad():
        layers.linear.weight[0, 1] = 7


def one_number_unseen_by_torch(layers: KnownLayers) -> None:
    layers.linear.weight.data[7, 1001] = 7


def replaced(layers: KnownLayers) -> None:
    layers.linear.weight = torch.nn.Parameter(layers.linear.weight.detach().clone())


def other_memory(layers: KnownLayers) -> None:
    layers.linear.weight.data = layers.linear.weight.data.clone()


def same_values(layers: KnownLayers) -> None:  # a graph that was made before is of no use after
    with torch.no_grad():
        layers.convolutions[1].weight.copy_(layers.convolutions[1].weight.clone())


def frozen(layers: KnownLayers) -> None:
    layers.convolutions[1].weight.requires_grad_(False)


def columns_first(layers: KnownLayers) -> None:
    layers.linear.weight.data = layers.linear.weight.data.t().contiguous().t()


def optimizer(layers: KnownLayers) -> None:
    layers.linear.weight.grad = torch.ones_like(layers.linear.weight)
    torch.optim.Adam([layers.linear.weight], fused=True).step()


@pytest.mark.parametrize(
    "change",
    [
        row,
        column,
        one_number,
        one_number_unseen_by_torch,
        one_small_number,
        replaced,
        other_memory,
        same_values,
        frozen,
        columns_first,
        optimizer,
    ],
)
def test_changes_of_weights_are_seen(change):
    layers = made()
    seen = WeightsSeen(layers.weights)
    assert seen.are_still(layers.weights)
    change(layers)
    assert not seen.are_still(layers.weights)
    assert WeightsSeen(layers.weights).are_still(layers.weights)


@pytest.mark.parametrize("kind", ["padded", "strided", "transposed"])
def test_a_large_weight_may_lie_in_memory_as_it_likes(kind):
    layers = made()
    weight = layers.linear.weight
    padded = torch.nn.functional.pad(weight.data, (0, 64))
    weight.data = {
        "padded": padded[:, :3136],
        "strided": weight.data.repeat_interleave(2, dim=1)[:, ::2],
        "transposed": weight.data.t().contiguous().t(),
    }[kind]
    assert not weight.is_contiguous()
    seen = WeightsSeen(layers.weights)
    assert seen.are_still(layers.weights)
    one_number_unseen_by_torch(layers)
    assert not seen.are_still(layers.weights)


def test_weights_that_are_no_numbers_are_themselves():
    layers = made()
    layers.convolutions[0].weight.data[0, 0, 0, 0] = torch.nan
    assert WeightsSeen(layers.weights).are_still(layers.weights)
