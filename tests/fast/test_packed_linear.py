"""The packed linear layer computes what the plain one does, and is not needed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces

from coordconv_rl import CoordConvExtractor
from coordconv_rl.fast import (
    Computation,
    KnownLayers,
    features,
    for_acting,
    packed_linear,
    prepare,
    products,
)

IMAGES = spaces.Box(0, 255, (4, 84, 84), np.uint8)
needs_operators = pytest.mark.skipif(
    not packed_linear.is_packable(torch.zeros(1, dtype=torch.bfloat16)),
    reason="torch has no oneDNN operators for bfloat16 here",
)


def learning(extractor, dtype=torch.bfloat16):
    convolutions = tuple(extractor.cnn[index] for index in (0, 2, 4))
    layers = KnownLayers(convolutions, extractor.linear[0], is_pooled=False)
    return prepare(layers, Computation(torch.Size((84, 84)), dtype))


def acting(extractor, dtype=torch.bfloat16):
    return for_acting(learning(extractor, dtype))


@needs_operators
@pytest.mark.parametrize("rows", [1, 8, 50])
def test_packed_is_plain(rows):
    x, weight, bias = (
        torch.randn(shape, dtype=torch.bfloat16) for shape in ((rows, 300), (70, 300), (70,))
    )
    expected = (x.double() @ weight.double().t() + bias.double()).relu()
    found = packed_linear.packed_linear_relu(x, packed_linear.pack(weight), bias)
    assert found.shape == (rows, 70)
    torch.testing.assert_close(found.double(), expected, rtol=2**-7, atol=2**-6)


@needs_operators
def test_acting_packs_and_learning_does_not():
    extractor = CoordConvExtractor(IMAGES)
    assert acting(extractor).packed is not None
    assert learning(extractor).packed is None


@pytest.mark.parametrize("is_amd", [True, False])
def test_float32_is_packed_where_products_go_to_onednn(monkeypatch, is_amd):
    monkeypatch.setattr(products, "is_amd", lambda: is_amd)
    extractor = CoordConvExtractor(IMAGES)
    network = acting(extractor, torch.float32)
    assert (network.packed is not None) is products.multiplies_by_onednn()
    frames = torch.randint(256, (8, 4, 84, 84), dtype=torch.uint8)
    with torch.no_grad():
        torch.testing.assert_close(features(network, frames), extractor(frames / 255))


@pytest.mark.parametrize(
    ("broken", "logged"),
    [
        pytest.param(
            lambda *_: (_ for _ in ()).throw(RuntimeError("no such kernel")),
            "no such kernel",
            id="raises",
        ),
        pytest.param(lambda x, *_: torch.zeros_like(x), "does not compute", id="computes nonsense"),
    ],
)
def test_without_the_operators_the_features_are_the_same(monkeypatch, caplog, broken, logged):
    caplog.set_level("INFO", "coordconv_rl.fast.products")
    extractor = CoordConvExtractor(IMAGES)
    frames = torch.randint(256, (8, 4, 84, 84), dtype=torch.uint8)
    with torch.no_grad():
        expected = features(acting(extractor), frames)
    caplog.clear()  # a processor without AVX-512 has no such operator and says so above

    class Operators:
        _reorder_linear_weight = staticmethod(lambda weight, _: weight)
        _linear_pointwise = staticmethod(broken)

    monkeypatch.setattr(torch.ops, "mkldnn", Operators)
    products.onednn_operators.cache_clear()
    try:
        network = acting(extractor)
        assert network.packed is None
        assert [logged in record.message for record in caplog.records] == [True]
        with torch.no_grad():
            found = features(network, frames)
    finally:
        monkeypatch.undo()
        products.onednn_operators.cache_clear()
    torch.testing.assert_close(found, expected, rtol=2**-7, atol=2**-6)
