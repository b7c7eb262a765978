"""Fused layers against torch's own operations: results, gradients and second derivatives."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from coordconv_rl.fast.fused import conv_relu, linear_relu


def draws(*shapes: tuple[int, ...]) -> list[Tensor]:
    random = torch.Generator().manual_seed(1)
    return [
        torch.randn(shape, generator=random, dtype=torch.float64).requires_grad_()
        for shape in shapes
    ]


def plain_conv(x: Tensor, weight: Tensor, share: Tensor) -> Tensor:
    added = share.view(1, -1, 1, 1) if share.dim() == 1 else share
    return (F.conv2d(x, weight, stride=2) + added).relu()


def plain_linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return F.linear(x, weight, bias).relu()


CONV = ((3, 2, 5, 6), (4, 2, 3, 2))
CASES = {
    "biases": (lambda *a: conv_relu(*a, 2), plain_conv, (*CONV, (4,))),
    "a map": (lambda *a: conv_relu(*a, 2), plain_conv, (*CONV, (1, 4, 2, 3))),
    "linear": (linear_relu, plain_linear, ((5, 7), (3, 7), (3,))),
}


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_results_and_derivatives(name, known):
    ours, plain, shapes = CASES[name]
    tensors = draws(*shapes)
    if known:  # from acting, with the same inputs
        with torch.no_grad():
            result = plain(*tensors)
        ours = (
            (lambda x, w, b: linear_relu(x, w, b, result))
            if name == "linear"
            else (lambda x, w, s: conv_relu(x, w, s, 2, result))
        )
    torch.testing.assert_close(ours(*tensors), plain(*tensors))
    penalties = []
    for compute in (ours, plain):
        y = compute(*tensors)
        slopes = torch.autograd.grad(y.cos().sum(), tensors, create_graph=True)
        penalty = sum(slope.square().sum() for slope in slopes)
        penalties.append([*slopes, *torch.autograd.grad(penalty, tensors)])
    torch.testing.assert_close(*penalties)


@pytest.mark.parametrize("name", CASES)
def test_gradients_of_gradients_by_differences(name):
    compute, _, shapes = CASES[name]
    tensors = draws(*shapes)
    assert torch.autograd.gradcheck(compute, tensors)
    assert torch.autograd.gradgradcheck(compute, tensors)


@pytest.mark.parametrize("name", CASES)
def test_what_needs_no_gradient_gets_none(name):
    compute, plain, shapes = CASES[name]
    for index in range(3):
        tensors = [t.detach().requires_grad_(i == index) for i, t in enumerate(draws(*shapes))]
        found, expected = (
            torch.autograd.grad(f(*tensors).square().sum(), tensors[index])
            for f in (compute, plain)
        )
        torch.testing.assert_close(found, expected)


def test_without_gradients_known_results_are_returned():
    (x, weight, share), (rows, matrix, bias) = draws(*CONV, (4,)), draws((5, 7), (3, 7), (3,))
    with torch.no_grad():
        known = torch.zeros(1)
        assert conv_relu(x, weight, share, 2, known) is known
        assert linear_relu(rows, matrix, bias, known) is known


@pytest.mark.parametrize("count", [3, 63, 64, 65])
def test_a_linear_layer_in_bfloat16_for_few_and_many_rows(count):
    x, weight, bias = (t.detach().bfloat16() for t in draws((count, 40), (30, 40), (30,)))
    expected = plain_linear(x.double(), weight.double(), bias.double())
    with torch.no_grad():
        found = linear_relu(x, weight, bias)
    torch.testing.assert_close(found.double(), expected, rtol=2**-7, atol=2**-5)
