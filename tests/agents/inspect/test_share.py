"""How much of a layer's output comes from coordinates, by hand and in a whole agent."""

from __future__ import annotations

import pytest
import torch

from coordconv_rl.agents.build import build_env, build_model
from coordconv_rl.agents.inspect.share import first_layer_share, layer_inputs
from coordconv_rl.layers import CoordConv2d


def test_share_by_hand():
    layer = CoordConv2d(1, 1, 1, bias=False)
    images = torch.zeros(2, 1, 2, 2)
    images[1] = 1  # 0 everywhere, 1 everywhere: variance 1/4
    with torch.no_grad():
        layer.weight.fill_(2.0)  # variance 1
        layer.coord_weight.copy_(torch.tensor([0.5, 0.0]).view(1, 2, 1, 1))  # x is -1 and 1: 1/4
    share, heat = first_layer_share(layer, images)
    assert share == pytest.approx(0.25 / 1.25)
    assert heat == pytest.approx(0.5)
    with torch.no_grad():
        layer.coord_weight.zero_()
    assert first_layer_share(layer, images)[0] == 0


def test_share_does_not_count_the_bias():
    layer, images = CoordConv2d(2, 3, 3), torch.rand(4, 2, 8, 8)
    share, _ = first_layer_share(layer, images)
    with torch.no_grad():
        layer.bias += 100
    assert first_layer_share(layer, images)[0] == pytest.approx(share, rel=1e-3)


@pytest.mark.parametrize(("arm", "place"), [("coordconv", 0), ({"coords": [1]}, 2)])
def test_a_layer_sees_what_the_layers_before_it_made(small_run, arm, place):
    config = small_run(arm=arm)
    env = build_env(config)
    model = build_model(config, env, "float32")
    layer = next(m for m in model.policy.modules() if isinstance(m, CoordConv2d))
    observations = torch.from_numpy(env.reset())
    cnn = model.policy.features_extractor.cnn
    expected = cnn[:place](observations / 255)
    torch.testing.assert_close(layer_inputs(model, layer, observations), expected)
    share, heat = first_layer_share(layer, expected)
    assert 0 < share < 1
    assert heat.shape == tuple(layer(expected).shape[2:])
    env.close()
