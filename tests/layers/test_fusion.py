"""Batch normalisation is never folded into a layer in silence; copies stay copies."""

from __future__ import annotations

import copy

import pytest
import torch
from concatenation import classical
from torch import nn
from torch.nn.utils import parametrizations
from torch.nn.utils.fusion import fuse_conv_bn_eval

from coordconv_rl.errors import InputError
from coordconv_rl.layers import CoordConv2d

close = torch.testing.assert_close


def norm(layer: CoordConv2d) -> nn.BatchNorm2d:
    batch_norm = nn.BatchNorm2d(layer.out_channels).eval()
    with torch.no_grad():
        for values in (batch_norm.running_mean, batch_norm.running_var, batch_norm.weight):
            values.uniform_(0.5, 2)
    return batch_norm


@pytest.mark.parametrize("parametrized", [False, True])
def test_folding_batch_normalisation_is_refused(parametrized: bool) -> None:
    layer = CoordConv2d(2, 3, 3).eval()
    if parametrized:
        parametrizations.weight_norm(layer, "coord_weight")
    with pytest.raises(InputError, match="leave the two apart") as caught:
        fuse_conv_bn_eval(layer, norm(layer))
    assert "\n" not in str(caught.value)
    twin, x = copy.deepcopy(nn.Sequential(layer)), torch.rand(2, 2, 5, 5)
    assert torch.equal(twin(x), layer(x))
    assert torch.equal(layer.__deepcopy__({})(x), layer(x))


def test_what_the_refusal_advises_works() -> None:
    layer, x = CoordConv2d(2, 3, 3).eval(), torch.rand(2, 2, 5, 5)
    channels, convolution = classical(layer).eval()
    batch_norm = norm(layer)
    close(fuse_conv_bn_eval(convolution, batch_norm)(channels(x)), batch_norm(layer(x)))


def test_eager_fusion_of_torch_refuses() -> None:
    layer = CoordConv2d(2, 3, 3).eval()
    with pytest.raises(AssertionError, match=r"fuser method.*CoordConv2d"):
        torch.ao.quantization.fuse_modules(nn.Sequential(layer, norm(layer)), ["0", "1"])
