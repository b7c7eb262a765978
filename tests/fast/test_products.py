"""Products by oneDNN are those by torch, wherever they are taken, and are not needed."""

from __future__ import annotations

import pytest
import torch

from coordconv_rl.fast import products

SHAPES = {"(a, b)": (5, 300, 70), "one row": (1, 300, 70), "many rows": (600, 64, 256)}


@pytest.fixture(params=[True, False], ids=["AMD", "others"])
def is_amd(request, monkeypatch):
    """Whether the processor counts as one of AMD's, whoever made it."""
    monkeypatch.setattr(products, "is_amd", lambda: request.param)
    return request.param


def as_given(matrix):
    return matrix


def turned(matrix):
    """The same matrix, as the transpose of one that lies in order."""
    return matrix.t().contiguous().t()


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("first", [as_given, turned])
@pytest.mark.parametrize("second", [as_given, turned])
def test_products_of_matrices_in_any_order_of_memory(is_amd, shape, first, second):
    rows, inner, columns = shape
    a, b = first(torch.randn(rows, inner)), second(torch.randn(inner, columns))
    expected = a.double() @ b.double()
    with torch.no_grad():
        found = products.product(a, b)
        out = torch.full((rows + 2, columns), 9.0)
        products.product_into(out[1:-1], a, b)
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(out[1:-1].double(), expected, rtol=1e-5, atol=1e-4)
    assert out[[0, -1]].eq(9).all()


def test_a_linear_layer(is_amd):
    x, weight, bias = torch.randn(9, 300), torch.randn(70, 300), torch.randn(70)
    with torch.no_grad():
        found = products.affine(x, weight, bias)
    expected = x.double() @ weight.double().t() + bias.double()
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_types_are_torchs(is_amd, dtype):
    a, b = torch.randn(4, 30).to(dtype), torch.randn(30, 7).to(dtype)
    with torch.no_grad():
        assert torch.equal(products.product(a, b), a @ b)
    assert not products.gains_by_onednn(a)
    assert not products.gains_by_onednn(torch.empty(2, 2, device="meta"))


def test_where_a_graph_is_recorded_gradients_are_right(is_amd):
    a, b = torch.randn(4, 30, requires_grad=True), torch.randn(30, 7, requires_grad=True)
    products.product(a, b).square().sum().backward()
    torch.testing.assert_close(a.grad, (2 * (a @ b) @ b.t()).detach())
    torch.testing.assert_close(b.grad, (a.t() @ (2 * (a @ b))).detach())


def test_float32_goes_to_onednn_on_amd_alone(is_amd):
    if products.onednn_operators(torch.float32) is None:
        pytest.skip("torch has no oneDNN operators here")
    assert products.multiplies_by_onednn() is is_amd
    assert products.gains_by_onednn(torch.ones(2, 2)) is is_amd


@pytest.mark.parametrize("has_operators", [True, False])
@pytest.mark.parametrize("has_mkl", [True, False])
def test_float32_is_fast_by_onednn_on_amd_and_by_mkl_elsewhere(
    is_amd, has_operators, has_mkl, monkeypatch
):
    operators = torch.ops.mkldnn if has_operators else None
    monkeypatch.setattr(products, "onednn_operators", lambda dtype: operators)
    monkeypatch.setattr(torch.backends.mkl, "is_available", lambda: has_mkl)
    assert products.has_fast_float32() is (has_operators if is_amd else has_mkl)


def test_only_onednn_keeps_programs(is_amd):
    if products.onednn_operators(torch.float32) is None:
        pytest.skip("torch has no oneDNN operators here")
    assert products.keeps_programs(torch.ones(2, 2)) is is_amd
    assert products.keeps_programs(torch.ones(2, 2, dtype=torch.bfloat16))
    assert not products.keeps_programs(torch.ones(2, 2, dtype=torch.float64))


@pytest.fixture
def restored():
    yield torch.backends.mkldnn
    torch.set_float32_matmul_precision("highest")
    torch.backends.mkldnn.conv.fp32_precision = "none"
    torch.backends.mkldnn.matmul.fp32_precision = "none"


def test_a_lower_precision_of_float32_is_seen(restored):
    assert products.is_float32_exact()
    torch.set_float32_matmul_precision("medium")
    assert not products.is_float32_exact()
    torch.set_float32_matmul_precision("highest")
    assert products.is_float32_exact()
    restored.conv.fp32_precision = "bf16"
    assert not products.is_float32_exact()
    restored.conv.fp32_precision = "ieee"
    assert products.is_float32_exact()
