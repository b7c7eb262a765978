"""What the heads make of feature maps, by hand; and that they are what the names promise."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from coordconv_rl.arms import HEADS
from coordconv_rl.errors import InputError
from coordconv_rl.sb3.heads import SpatialSoftmax, check_maps, head_modules


def head(name):
    return nn.Sequential(*head_modules(name))


def test_flatten_and_pool_by_hand():
    maps = torch.tensor([[[[1.0, 2.0], [3.0, 6.0]], [[0.0, 0.0], [0.0, -4.0]]]])
    assert head("flatten")(maps).tolist() == [[1, 2, 3, 6, 0, 0, 0, -4]]
    assert head("pool")(maps).tolist() == [[3, -1]]


def test_a_pooled_head_forgets_places_and_the_others_do_not():
    maps = torch.rand(2, 3, 4, 5)
    moved = maps.roll((1, 2), (2, 3))
    torch.testing.assert_close(head("pool")(moved), head("pool")(maps))
    for name in ("flatten", "spatial-softmax"):
        assert not torch.allclose(head(name)(moved), head(name)(maps), atol=1e-2)


def test_spatial_softmax_by_hand():
    # One peak among zeros on 2x3 pixels: e^2 against five ones.
    maps = torch.zeros(1, 2, 2, 3)
    maps[0, 0, 1, 2] = 2.0
    total = torch.tensor(2.0).exp() + 5
    x = (torch.tensor(2.0).exp() * 1 + 1 - 1 - 1) / total  # columns -1, 0, 1 in two rows
    y = (torch.tensor(2.0).exp() + 2 - 3) / total
    torch.testing.assert_close(
        head("spatial-softmax")(maps), torch.stack([x, y, x * 0, y * 0])[None]
    )


def test_a_low_temperature_finds_the_peak_and_a_high_one_the_centre():
    maps = torch.rand(1, 1, 5, 9)
    maps[0, 0, 4, 2] = 3.0
    softmax = SpatialSoftmax()
    with torch.no_grad():
        softmax.temperature.fill_(1e-3)
        torch.testing.assert_close(softmax(maps), torch.tensor([[-0.5, 1.0]]))
        softmax.temperature.fill_(1e6)
        torch.testing.assert_close(softmax(maps), torch.zeros(1, 2), rtol=0, atol=1e-5)


def test_the_temperature_is_learned_and_the_softmax_differentiates_twice():
    softmax = SpatialSoftmax().double()
    assert dict(softmax.named_parameters()).keys() == {"temperature"} == softmax.state_dict().keys()
    assert softmax.temperature.item() == 1
    maps = torch.rand(2, 2, 3, 4, dtype=torch.float64, requires_grad=True)
    temperature = softmax.temperature.detach().clone().requires_grad_()

    def function(maps, temperature):
        return torch.func.functional_call(softmax, {"temperature": temperature}, (maps,))

    assert torch.autograd.gradcheck(function, (maps, temperature))
    assert torch.autograd.gradgradcheck(function, (maps, temperature))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32(dtype):
    maps = torch.rand(2, 3, 7, 7).to(dtype)
    softmax = SpatialSoftmax()
    wanted = softmax(maps.float())
    assert softmax(maps).dtype == dtype
    assert torch.equal(softmax(maps), wanted.to(dtype))
    assert torch.equal(copy.deepcopy(softmax).to(dtype)(maps), wanted.to(dtype))


def test_places_need_more_than_one_pixel():
    check_maps("spatial-softmax", torch.zeros(1, 3, 1, 2))
    check_maps("pool", torch.zeros(1, 3, 1, 1))
    with pytest.raises(InputError, match="single pixel: take larger images"):
        check_maps("spatial-softmax", torch.zeros(1, 3, 1, 1))
    with pytest.raises(InputError, match="unknown head 'max'"):
        head_modules("max")


@pytest.mark.parametrize("name", HEADS)
def test_heads_are_compiled_traced_and_scripted(name):
    module = head(name)
    scripted, traced = torch.jit.script(module), torch.fx.symbolic_trace(module)
    recorded = torch.jit.trace(module, torch.rand(1, 3, 4, 5))
    for size in ((4, 5), (7, 6)):
        maps = torch.rand(2, 3, *size)
        for other in (scripted, traced, recorded):
            torch.testing.assert_close(other(maps), module(maps))
